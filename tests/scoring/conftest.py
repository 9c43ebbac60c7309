from __future__ import annotations

from tests.serving.conftest import models as models  # the toy model, exported once
