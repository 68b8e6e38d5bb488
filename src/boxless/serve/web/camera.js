// A picture from the camera.

import { the } from "./elements.js";

/** Shows what the camera sees until a picture is taken or the window is closed; `taken` is called with the picture. */
export async function openCamera(taken) {
  if (!navigator.mediaDevices) {
    the("shot").click(); // over plain HTTP from elsewhere, browsers lend the camera by way of a file only
    return;
  }
  const [dialog, view, take, problem] = ["camera", "camera-view", "camera-take", "camera-problem"].map(the);
  problem.hidden = true;
  take.disabled = true;
  view.hidden = false;
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
  take.onclick = async () => {
    const canvas = new OffscreenCanvas(view.videoWidth, view.videoHeight);
    canvas.getContext("2d").drawImage(view, 0, 0);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
    dialog.close();
    const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "-");
    taken(new File([blob], `camera-${time}.jpg`, { type: blob.type }));
  };
}

function reason(error) {
  if (error.name === "NotFoundError") return "No camera was found. Choose a picture instead.";
  if (error.name === "NotAllowedError") return "The camera may not be used: allow it in the browser, or choose a picture instead.";
  return `The camera cannot be used: ${error.message}`;
}
