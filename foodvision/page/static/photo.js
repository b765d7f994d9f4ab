// Photos in the browser.
import { element } from "./element.js";

// JPEG of the photo, upright, its short side at most `shortSide` pixels. Rejects what the browser cannot decode.
export async function shrink(file, shortSide) {
  const picture =
    (await decodeReduced(file, shortSide).catch(() => null)) ??
    (await createImageBitmap(file, { imageOrientation: "from-image" }));
  const sides = [picture.displayWidth ?? picture.width, picture.displayHeight ?? picture.height];
  const scale = Math.min(1, shortSide / Math.min(...sides));
  const [width, height] = sides.map((side) => Math.round(scale * side));
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // behind what is transparent: JPEG would make it black
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  picture.close();
  return toBlob(canvas, "image/jpeg");
}

// A VideoFrame of a large JPEG in the fewest eighths of its size that leave the short side `shortSide`: libjpeg decodes
// so in half the time, and a phone's photo takes 3 MB instead of 48. Null where there is nothing to gain, or no decoder:
// browsers lend it to https and localhost alone, and one that ignores the size may ignore which side is up, too.
async function decodeReduced(file, shortSide) {
  if (file.type !== "image/jpeg" || !window.ImageDecoder) return null;
  const { naturalWidth, naturalHeight } = await load(file); // which decodes nothing yet
  const eighths = Math.ceil((8 * shortSide) / Math.min(naturalWidth, naturalHeight));
  if (eighths >= 8) return null;
  const [desiredWidth, desiredHeight] = [naturalWidth, naturalHeight].map((side) => Math.ceil((side * eighths) / 8));
  const data = await file.arrayBuffer();
  const decoder = new ImageDecoder({ data, type: file.type, desiredWidth, desiredHeight });
  const { image } = await decoder.decode().finally(() => decoder.close());
  if (image.displayWidth === desiredWidth && image.displayHeight === desiredHeight) return image;
  image.close();
  return null;
}

export function toBlob(canvas, type) {
  return new Promise((resolve) => canvas.toBlob(resolve, type, 0.9));
}

// An <img> of a JPEG, once it is ready to show.
export async function toImage(jpeg, alt) {
  const image = await load(jpeg, alt);
  await image.decode();
  return image;
}

async function load(file, alt = "") {
  const image = element("img", { alt, src: URL.createObjectURL(file) });
  try {
    await new Promise((resolve, reject) => Object.assign(image, { onload: resolve, onerror: reject }));
    return image;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}
