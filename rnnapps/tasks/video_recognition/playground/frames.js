// Frames of clips and cameras, as JPEG files in base64: what a video model reads, so many a second.

const LONGEST_SIDE = 160; // pixels; models read fewer

/** A picture of what an element shows now. */
function picture(source, width, height) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height, 1)), canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.92).split(",")[1];
}

/** The frames of a video file, at most so many seconds of it. */
export async function framesOfVideo(content, rate, seconds) {
  const video = document.createElement("video");
  video.muted = true;
  video.src = URL.createObjectURL(content);
  await happened(video, "loadeddata", "This is no video that the browser can play; MP4 (H.264) and WebM usually are.");
  const end = Math.min(seconds, Number.isFinite(video.duration) ? video.duration : seconds), frames = [];
  for (let time = 0; time < end; time += 1 / rate) {
    video.currentTime = time;
    await happened(video, "seeked", "The video cannot be read to its end.");
    frames.push(picture(video, video.videoWidth, video.videoHeight));
  }
  URL.revokeObjectURL(video.src);
  return frames;
}

/** The frames of a GIF; null where the browser does not decode it frame by frame. */
export async function framesOfGif(content, rate, seconds) {
  if (typeof ImageDecoder === "undefined") return null;
  const decoder = new ImageDecoder({ data: await content.arrayBuffer(), type: "image/gif" });
  await decoder.tracks.ready;
  const frames = [];
  let shown = 0; // end of the last frame, in seconds
  for (let frameIndex = 0; frameIndex < decoder.tracks.selectedTrack.frameCount; frameIndex += 1) {
    const { image } = await decoder.decode({ frameIndex });
    shown += (image.duration ?? 100_000) / 1e6;
    const content64 = picture(image, image.displayWidth, image.displayHeight);
    while (frames.length < Math.round(Math.min(shown, seconds) * rate)) frames.push(content64);
    image.close();
  }
  decoder.close();
  return frames;
}

/** Opens the camera into a video element; returns how to take a frame, and how to stop. */
export async function camera(video) {
  if (!navigator.mediaDevices) throw new Error("The browser gives a camera only to pages of this machine or over TLS.");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
  } catch (error) {
    throw new Error(`No camera can be used (${error.message}).`);
  }
  video.srcObject = stream;
  await video.play();
  return {
    frame: () => picture(video, video.videoWidth, video.videoHeight),
    stop: () => stream.getTracks().forEach((track) => track.stop()),
  };
}

function happened(element, event, failure) {
  return new Promise((resolve, reject) => {
    element.addEventListener(event, resolve, { once: true });
    element.addEventListener("error", () => reject(new Error(failure)), { once: true });
  });
}
