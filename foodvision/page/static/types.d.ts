// Shapes that the page's modules share. Nothing here reaches the browser.

/** `Prediction.to_dict()` of the answering side. */
export interface Prediction {
  label: string;
  probability: number;
  probabilities: Record<string, number>;
  unsure: boolean;
  seconds: number;
}

/** What the model says of its classes. */
export interface Classes {
  /** Words for each class name, in the model's order. */
  titles: Record<string, string>;
  /** The sentence for each class that means "none of these"; "{foods}" stands for the others. */
  background: Record<string, string>;
}

/** What the page must know before it can be drawn. Pixels of a photo's short side, bytes of a file. */
export interface Settings extends Classes {
  short_side: number;
  max_bytes: number;
  feedback_on: boolean;
  /** Whether the page itself has to say what it is for, because nothing above it does. */
  invite?: boolean;
}

/** What only the answering side can tell: whether verdicts are kept, and the link that starts the app on Binder. */
export interface About extends Classes {
  feedback_on: boolean;
  link: string;
}

export interface Failure {
  /** A sentence for the person who chose the photo. */
  error: string;
}

export interface Answer {
  prediction: Prediction;
  /** Shows the photo where the browser could not decode it. */
  picture?: Blob;
  /** Keeps a verdict: the true class, and the photo where the visitor agreed. Absent where nothing is kept. */
  judge?: (truth: string, photo?: Blob) => Promise<{ photo: boolean } | Failure>;
}

/** Anything that takes a photo and gives a prediction: a kernel, an HTTP server, a model in the browser. */
export interface Answerer {
  /** Null once `signal` is aborted: nobody waits for the answer. */
  answer(photo: Blob, options: AnswerOptions): Promise<Answer | Failure | null>;
  /** The visitor is back, after minutes or days: is the other side still there? Absent where there is none. */
  check?(): void;
  /** Address of an image with a QR code of `text`. */
  qrCode?(text: string): Promise<string>;
}

export interface AnswerOptions {
  /** The browser cannot decode the photo: the answer should bring a picture. */
  needsPicture: boolean;
  /** Share of the photo that has been sent, 0 to 1. */
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

/** How an answerer with another side reports on it. */
export interface Line {
  onGone: () => void;
  onBack: () => void;
  /** Aborted when the page stops listening. */
  signal: AbortSignal;
}

// biome-ignore lint/suspicious/noExplicitAny: of messages, which are any JSON
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

export interface Photo {
  file: Blob;
  name: string;
  card: Card;
  /** Settled when the photo is ready to be sent. */
  ready?: Promise<void>;
  /** The photo made small. */
  jpeg?: Blob | null;
  /** Settled when the photo is on show. */
  shown?: Promise<void>;
  prediction?: Prediction;
  error?: string;
}

export interface Card {
  node: HTMLElement;
  say(sentence: string): void;
  refuse(sentence: string): void;
  answer(prediction: Prediction, classes: Classes, ...extras: HTMLElement[]): void;
  show(jpeg: Blob): Promise<void>;
}

/** Makes a photo small, once. */
export type Prepare = (photo: Photo) => Promise<void>;
export type Look = (files: File[]) => void;
export type Complain = (subject?: string, sentence?: string) => void;

declare global {
  /** The dashboard that Voilà's template has drawn, until the widget takes it over. */
  var foodvision: { connect: (makeAnswerer: (line: Line) => Answerer, about: About) => () => void } | null | undefined;
}
