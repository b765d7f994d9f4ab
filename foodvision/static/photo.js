// Photos in the browser.
import { element } from "./element.js";

// JPEG of the photo, upright, its short side at most `shortSide` pixels. Rejects what the browser cannot decode.
export async function shrink(file, shortSide) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, shortSide / Math.min(bitmap.width, bitmap.height));
  const width = Math.round(scale * bitmap.width);
  const height = Math.round(scale * bitmap.height);
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // behind what is transparent: JPEG would make it black
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return toBlob(canvas, "image/jpeg");
}

export function toBlob(canvas, type) {
  return new Promise((resolve) => canvas.toBlob(resolve, type, 0.9));
}

// An <img> of a JPEG, once it is ready to show.
export async function toImage(jpeg, alt) {
  const image = element("img", { alt, src: URL.createObjectURL(jpeg) });
  await image.decode();
  URL.revokeObjectURL(image.src);
  return image;
}
