"""Streams over gRPC: PredictRequest in, PredictResponse out, one row a message, the states kept by the server.

The method is `/rnnapps.serving.StreamService/Stream`; the first request says the model. In the metadata,
`rnnapps-session` is a name to come back to, `rnnapps-signature` what each message runs if it is not `step`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
from tensorflow_serving.apis import predict_pb2

from rnnapps.serving.grpc_services import fill_response, inputs_of, refusals_told, target_of_spec
from rnnapps.serving.sessions import STREAMED, Session, Sessions

__all__ = ["SESSION_HEADER", "SIGNATURE_HEADER", "STREAM_METHOD", "stream_handler"]

_SERVICE = "rnnapps.serving.StreamService"
STREAM_METHOD = f"/{_SERVICE}/Stream"
SESSION_HEADER, SIGNATURE_HEADER = "rnnapps-session", "rnnapps-signature"


def stream_handler(sessions: Sessions) -> Any:
    """The handler to add to a gRPC server.

    Args:
        sessions: where the sessions are.
    """

    async def stream(requests: AsyncIterator[Any], context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        session = None
        try:
            async with refusals_told(context):
                while True:
                    request = await sessions.next_of(requests)
                    session = session or await _opened(request, context, sessions)
                    yield await _answer(request, session, sessions)
        except StopAsyncIteration:
            return
        finally:
            if session is not None:
                sessions.leave(session)

    method = grpc.stream_stream_rpc_method_handler(
        stream,
        request_deserializer=predict_pb2.PredictRequest.FromString,
        response_serializer=predict_pb2.PredictResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(_SERVICE, {"Stream": method})


async def _opened(request: Any, context: grpc.aio.ServicerContext, sessions: Sessions) -> Session:
    """The session that a first request asks for; its name goes back in the metadata."""
    headers = dict(context.invocation_metadata() or ())
    signature, name = str(headers.get(SIGNATURE_HEADER, STREAMED)), str(headers.get(SESSION_HEADER, ""))
    session = sessions.open(target_of_spec(request.model_spec), signature, name)
    await context.send_initial_metadata(((SESSION_HEADER, session.name),))
    return session


async def _answer(request: Any, session: Session, sessions: Sessions) -> Any:
    """The outputs that the request wants; without a wish, all but the states."""
    begins = bool(session.names.begins) and request.model_spec.signature_name == session.names.begins
    outputs = await (sessions.begin if begins else sessions.step)(session, inputs_of(request))
    states = set(session.names.after.values())
    wanted = list(request.output_filter) or [name for name in outputs if name not in states]
    response = predict_pb2.PredictResponse()
    response.model_spec.name, response.model_spec.signature_name = session.version.place.model, session.signature.name
    response.model_spec.version.value = session.version.place.number
    fill_response(response, {name: outputs[name] for name in wanted if name in outputs})
    return response
