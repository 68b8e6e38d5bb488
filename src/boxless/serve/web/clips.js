// Clips: their frames as images, by time, and where one shot ends and the next begins.

const MOST = 120; // frames of a clip
const SIDE = 24; // pixels of the small frames that are compared
const CUT = 0.18; // mean difference, of the full range, from which on two frames belong to different shots

/** Resolves when an element has had an event. */
function once(element, name) {
  return new Promise((resolve, reject) => {
    element.addEventListener(name, resolve, { once: true });
    const unknown = "it is damaged, or of a kind that the browser does not know; MP4 and WebM are the usual ones";
    element.addEventListener("error", () => reject(new Error(unknown)), { once: true }); // a browser's own words are for its makers
  });
}

/** 75.25 as a file's name can have it: 01-15.25. */
function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${String(minutes).padStart(2, "0")}-${(seconds - 60 * minutes).toFixed(2).padStart(5, "0")}`;
}

/** The frame that a clip stands at, small, as grey levels. */
function small(video) {
  const context = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 765);
}

function apart(one, other) {
  return one.reduce((sum, value, i) => sum + Math.abs(value - other[i]), 0) / one.length;
}

/**
 * The frames of a clip: `taken(file, { clip, seconds, shot })` is called with each, a JPEG whose name has the time. They are a
 * second apart, or further where the clip is long; none comes once `signal` is aborted. A new shot begins where a frame
 * differs much from the one before.
 */
export async function frames(clip, taken, signal) {
  const video = document.createElement("video");
  const url = URL.createObjectURL(clip);
  Object.assign(video, { muted: true, preload: "auto", src: url });
  try {
    await once(video, "loadeddata");
    const { duration, videoWidth: width, videoHeight: height } = video;
    if (!width || !Number.isFinite(duration)) throw new Error("it has no images, or no end");
    const step = Math.max(Math.min(1, duration / 4), duration / MOST);
    let before = null;
    let shot = 1;
    for (let seconds = step / 2; seconds < duration; seconds += step) {
      const there = once(video, "seeked");
      video.currentTime = seconds;
      await there;
      const now = small(video);
      if (before && apart(before, now) > CUT) shot++;
      before = now;
      const canvas = new OffscreenCanvas(width, height);
      canvas.getContext("2d").drawImage(video, 0, 0);
      const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
      if (signal.aborted) return;
      const name = `${clip.name.replace(/\.[^.]*$/, "")} ${clock(seconds)}.jpg`;
      taken(new File([blob], name, { type: blob.type }), { clip: clip.name, seconds, shot });
    }
  } finally {
    URL.revokeObjectURL(url);
  }
}
