// The camera: an image from it, or its boxes live.

import { drawBoxes } from "./drawn_images.js";
import { percent, perhaps, the } from "./elements.js";

const LIVE_SIDE = 640; // pixels of the longer side of what is located live

/**
 * Shows what the camera sees until an image is taken or the window is closed.
 *
 * taken: is called with the image. images: whose model, preset and engine find boxes live; null while there is none.
 */
export async function openCamera(taken, images) {
  if (!navigator.mediaDevices) {
    the("shot").click(); // over plain HTTP from elsewhere, browsers lend the camera by way of a file only
    return;
  }
  const [dialog, view, take, problem, live] = ["camera", "camera-view", "camera-take", "camera-problem", "camera-live"].map(the);
  problem.hidden = true;
  take.disabled = live.disabled = true;
  view.hidden = false;
  live.checked = false;
  clear();
  dialog.showModal();
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } } });
  } catch (error) {
    problem.textContent = reason(error);
    problem.hidden = false;
    view.hidden = true;
    return;
  }
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  if (!dialog.open) return stop();
  dialog.addEventListener("close", stop, { once: true });
  view.srcObject = stream;
  await view.play();
  take.disabled = false;
  live.disabled = !images;
  live.onchange = () => (live.checked ? preview(view, images, () => live.checked && dialog.open) : clear());
  take.onclick = async () => {
    const blob = await frame(view, 1, 0.95);
    dialog.close();
    const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "-");
    taken(new File([blob], `camera-${time}.jpg`, { type: blob.type }));
  };
}

/** What the camera sees now, as JPEG, of a share of its size. */
function frame(view, scale, quality) {
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(view.videoWidth * scale)), Math.max(1, Math.round(view.videoHeight * scale)));
  canvas.getContext("2d").drawImage(view, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}

/** Draws the boxes of one frame after the other, as fast as the model allows, while `goes()`. */
async function preview(view, { engine, model, preset }, goes) {
  const [canvas, words] = ["camera-boxes", "camera-words"].map(the);
  words.textContent = "Working …";
  while (goes()) {
    const scale = Math.min(1, LIVE_SIDE / Math.max(view.videoWidth, view.videoHeight));
    const start = performance.now();
    try {
      const blob = await frame(view, scale, 0.85);
      const found = await engine.locate({ file: new File([blob], "camera.jpg", { type: blob.type }) }, { model: model.name, preset, top: 1 });
      if (!goes()) break;
      const boxes = found.predictions.flatMap(({ label, boxes: own }) => own.map((each) => ({ ...each, label })));
      [canvas.width, canvas.height] = [found.width, found.height];
      drawBoxes(canvas, { found, predictions: found.predictions, boxes }, boxes);
      const best = found.predictions[0];
      const rate = 1000 / (performance.now() - start);
      words.textContent = `${best?.detected ? `${perhaps(best)} ${percent(best.probability)}` : "No class detected"}, ${rate.toFixed(1)} frames a second`;
    } catch (error) {
      words.textContent = `${error.title ?? "That failed"}: ${error.message}`;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  clear();
}

function clear() {
  the("camera-boxes").width = 0;
  the("camera-words").textContent = "";
}

function reason(error) {
  if (error.name === "NotFoundError") return "No camera was found. Choose an image instead.";
  if (error.name === "NotAllowedError") return "The camera may not be used: allow it in the browser, or choose an image instead.";
  return `The camera cannot be used: ${error.message}`;
}
