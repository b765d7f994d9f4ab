// Small drawings. They decorate words, so screen readers skip them.

const SVG = "http://www.w3.org/2000/svg";

/** Paths in a square of 24. */
const PATHS = {
  sure: "M4 12.5l5.5 5.5L20 7",
  doubt: "M9 9.2a3 3 0 1 1 4.6 2.6c-1 .7-1.6 1.3-1.6 2.4M12 18v.01",
  none: "M6 6l12 12M18 6L6 18",
  picture: "M4 5h16v14H4zM4 16l4.5-4.5 4 4 2.5-2.5 5 5M15.5 9.2v.01",
  camera: "M3 8h4l2-3h6l2 3h4v11H3zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  share: "M12 15V3M8 6.5L12 3l4 3.5M6 11H5v10h14V11h-1",
  save: "M12 3v12M8 11.5l4 3.5 4-3.5M4 20h16",
  again: "M20 5v5h-5M19.5 10A8 8 0 1 0 20 14",
  fork: "M8 2v6a4 4 0 0 0 8 0V2M12 2v20",
  knife: "M14 22V2c-4 2-5 6-5 12h5",
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  const node = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ class: "fv-icon", viewBox: "0 0 24 24", "aria-hidden": "true" }))
    node.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  node.append(path);
  return node;
}
