// Shapes that the page's modules share. Nothing here reaches the browser.

/** What `Prediction.to_dict()` gives in Python. */
export interface Prediction {
  label: string;
  probability: number;
  probabilities: Record<string, number>;
  unsure: boolean;
  /** Absent in an answer that came with a link. */
  seconds?: number;
  /** The likeliest of the finer classes, best first, if the model knows any. */
  dishes?: Record<string, number>;
}

/** A prediction in words. */
export interface Said {
  label: string;
  /** Whether it names a class, doubts it, or says that it is none of them. */
  kind: "sure" | "doubt" | "none";
  heading: string;
  /** How likely it is, or what else it may be. May be empty. */
  likely: string;
  smallPrint: string;
  /** Whether the bars only repeat the heading. */
  folded: boolean;
  bars: { title: string; share: number; percent: string }[];
}

/** What the model looked at. */
export interface Explanation {
  /** The part of the photo that the model reads, as shares of its width and height: left, top, right, bottom. */
  area: [number, number, number, number];
  /** Rows of numbers from 0 to 255 that cover the area: how much each place speaks for the answer. */
  heat: number[][];
}

/** What the model calls its classes. */
export interface Classes {
  /** What people call each class, by class name and in the model's order. */
  titles: Record<string, string>;
  /** The sentence for each class that means "none of these"; "{foods}" stands for the others. */
  background: Record<string, string>;
  /** The answer that each finer class belongs to, if the model knows finer classes. */
  dishes?: Record<string, string>;
}

/** A picture that visitors can try. */
export interface Example {
  name: string;
  /** Address of a small picture, such as a data URL. */
  thumbnail: string;
  /** Address of the whole picture; if there is none, the answerer has it. */
  address?: string;
}

/** What the page must know before it can be drawn: also the short side in pixels and the largest file in bytes. */
export interface Settings extends Classes {
  short_side: number;
  max_bytes: number;
  feedback_on: boolean;
  /** What the browser needs to answer photos itself. Absent if the page can't offer it. */
  device?: DeviceFiles;
  examples?: Example[];
  /** Where the code is, for the foot of the page. */
  source?: string;
  /** Whether the dashboard has to say what the page is for, because no text above it does. */
  invite?: boolean;
}

/** Where the files of answering on this device are. */
export interface DeviceFiles {
  /** Relative to Voilà's base, or else to the page. */
  folder: string;
  /** These are relative to the folder. */
  worker: string;
  runtime: string;
  model: string;
  /** To download before the first answer, roughly. */
  bytes: number;
  /** Whether the page has no other answerer. */
  only?: boolean;
  /** Keeps the page for visits without a connection. */
  service_worker?: string;
}

/** What only the kernel can tell: whether verdicts are kept, and the link that starts the app on Binder. */
export interface About extends Classes {
  feedback_on: boolean;
  link: string;
  examples?: Example[];
  source?: string;
}

export interface Failure {
  /** A sentence for the person who chose the photo. */
  error: string;
}

export interface Answer {
  prediction: Prediction;
  /** Shows the photo if the browser could not decode it. */
  picture?: Blob;
  /** Keeps a verdict: the true class, and the photo if the visitor agreed. Absent if nothing is kept. */
  judge?: (truth: string, photo?: Blob) => Promise<{ photo: boolean } | Failure>;
}

/** Anything that takes a photo and gives a prediction: a kernel, an HTTP server, a model in the browser. */
export interface Answerer {
  /** Resolves to null once `signal` is aborted. */
  answer(photo: Blob, options: AnswerOptions): Promise<Answer | Failure | null>;
  /** Called when the visitor returns after minutes or days, to check the connection. Absent if there is none. */
  check?(): void;
  /** Address of an image with a QR code of `text`. */
  qrCode?(text: string): Promise<string>;
  /** Address of the API that answers, if programs can use it, too. */
  api?: string;
  /** What speaks for a label in a photo. Absent if the model can't tell. */
  explain?(photo: Blob, label: string): Promise<Explanation | Failure>;
  /** The whole picture of an example that has no address. */
  example?(name: string): Promise<Blob | Failure>;
}

export interface AnswerOptions {
  /** The file as it was chosen, of which the photo may be a smaller copy. */
  original?: Blob;
  /** The browser cannot decode the photo: the answer should bring a picture. */
  needsPicture: boolean;
  /** Share of the photo that has been sent, 0 to 1. */
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

/** How an answerer with a connection reports that it is lost or back. */
export interface ConnectionEvents {
  onGone: () => void;
  onBack: () => void;
  /** Aborted when the page stops listening. */
  signal: AbortSignal;
}

// biome-ignore lint/suspicious/noExplicitAny: messages can be any JSON
type Listener = (...values: any[]) => void;

/** The part of an anywidget model that the page uses. */
export interface Model {
  // biome-ignore lint/suspicious/noExplicitAny: whatever traitlets sync
  get(name: string): any;
  on(event: string, listener: Listener): void;
  off(event: string, listener: Listener): void;
  send(content: object, callbacks?: undefined, buffers?: ArrayBuffer[]): void;
  widget_manager?: { kernel?: Kernel };
}

/** The part of Jupyter's connection to a kernel that the page uses. */
interface Kernel {
  connectionStatus?: string;
  reconnect?(): Promise<void>;
  statusChanged?: { connect(slot: Listener): void; disconnect(slot: Listener): void };
}

/** The part of Jupyter's widget manager that the page uses. */
interface WidgetManager {
  get_state_sync(): { state: Record<string, { model_name: string }> };
  get_model(id: string): Promise<unknown>;
  create_view(model: unknown): Promise<unknown>;
}

export interface Photo {
  file: Blob;
  name: string;
  card: Card;
  /** Settled when the photo is ready to be sent. */
  ready?: Promise<void>;
  /** The shrunk photo. */
  jpeg?: Blob | null;
  /** Settled when the photo is shown. */
  shown?: Promise<void>;
  prediction?: Prediction;
  said?: Said;
  error?: string;
  /** The answer came with a link, without its photo. */
  linked?: boolean;
  /** Hides what the model looked at, because the answer has changed. */
  hideWhy?: () => void;
}

export interface Card {
  node: HTMLElement;
  /** Whether it is the only one, which is shown large. */
  alone(is: boolean): void;
  say(sentence: string): void;
  refuse(sentence: string): void;
  answer(said: Said): void;
  /** Adds what belongs to the answer, below it. */
  extend(...nodes: HTMLElement[]): void;
  show(jpeg: Blob): Promise<void>;
  /** Shows what the model looked at, or with null the photo alone. */
  explain(explanation: Explanation | null): void;
}

/** Makes a photo small, once. */
export type Prepare = (photo: Photo) => Promise<void>;
/** A dashboard that may be waiting for its kernel. */
export interface Unmet {
  choice: { photos: Photo[] };
  prepare: Prepare;
  device: { on: boolean };
  answering: Promise<unknown>;
  onGone(): void;
}
export type Look = (files: File[]) => void;
export type Complain = (subject?: string, sentence?: string) => void;

declare global {
  /** What Voilà's template leaves for the first widget: its script, and the dashboard that it drew. */
  var foodvision:
    | {
        widget: typeof import("./widget.js").widget;
        drawn?: Promise<{
          connect: (makeAnswerer: (events: ConnectionEvents) => Answerer, about: About) => () => void;
        }>;
      }
    | undefined;
  /** Voilà's application, once it has started. */
  var jupyterapp: { widgetManager: WidgetManager } | undefined;
}
