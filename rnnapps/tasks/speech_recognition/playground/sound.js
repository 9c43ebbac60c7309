// Sound: files and the microphone to samples, samples to a WAV file and to a spectrogram.

/** One channel of samples of a sound file of any kind that the browser plays, at a rate in Hz. */
export async function samplesOf(content, rate) {
  const context = new OfflineAudioContext(1, 1, rate);
  let sound;
  try {
    sound = await context.decodeAudioData(await content.arrayBuffer());
  } catch {
    throw new Error("This is no sound file that the browser can read; WAV, FLAC, MP3, OGG and WebM usually are.");
  }
  const mixed = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel += 1) {
    sound.getChannelData(channel).forEach((value, at) => { mixed[at] += value / sound.numberOfChannels; });
  }
  return { samples: mixed, rate: sound.sampleRate };
}

/** Records the microphone until stop() is called on what is returned; its `done` is the sound. */
export async function record() {
  if (!navigator.mediaDevices) throw new Error("The browser gives a microphone only to pages of this machine or over TLS.");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    throw new Error(`No microphone can be used (${error.message}).`);
  }
  const recorder = new MediaRecorder(stream), parts = [];
  const done = new Promise((resolve) => {
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      for (const track of stream.getTracks()) track.stop();
      resolve(new Blob(parts, { type: recorder.mimeType }));
    });
  });
  recorder.start();
  return { stop: () => recorder.stop(), done };
}

/** The bytes of a WAV file of 16 bits. */
export function wavBytes({ samples, rate }) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((letter, place) => view.setUint8(at + place, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, at) => view.setInt16(44 + 2 * at, Math.round(32767 * Math.max(-1, Math.min(1, value))), true));
  return new Uint8Array(view.buffer);
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Powers in decibels of so many columns, each of `size / 2` frequencies from 0 to half the rate. */
export function spectrogram(samples, columns, size = 256) {
  const window = Float32Array.from({ length: size }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / size));
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.round(((samples.length - size) * column) / Math.max(1, columns - 1));
    const real = window.map((weight, at) => weight * (samples[from + at] ?? 0)), imaginary = new Float32Array(size);
    transform(real, imaginary);
    return Float32Array.from({ length: size / 2 }, (_, at) => 10 * Math.log10(real[at] ** 2 + imaginary[at] ** 2 + 1e-9));
  });
}

/** The discrete Fourier transform in place (Cooley and Tukey, radix 2). */
export function transform(real, imaginary) {
  const size = real.length;
  for (let at = 1, other = 0; at < size; at += 1) {
    let bit = size >> 1;
    for (; other & bit; bit >>= 1) other ^= bit;
    other ^= bit;
    if (at < other) [real[at], real[other], imaginary[at], imaginary[other]] = [real[other], real[at], imaginary[other], imaginary[at]];
  }
  for (let length = 2; length <= size; length *= 2) {
    for (let start = 0; start < size; start += length) {
      for (let step = 0; step < length / 2; step += 1) {
        const angle = (-2 * Math.PI * step) / length, low = start + step, high = low + length / 2;
        const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
        const [r, i] = [real[high] * cosine - imaginary[high] * sine, real[high] * sine + imaginary[high] * cosine];
        [real[high], imaginary[high]] = [real[low] - r, imaginary[low] - i];
        [real[low], imaginary[low]] = [real[low] + r, imaginary[low] + i];
      }
    }
  }
}
