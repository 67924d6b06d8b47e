/** What the charts show as one picture in a file, made here on the page: nothing of it is sent anywhere. */

export interface Picture {
  title: string;
  /** What stands beside the title. */
  notes: readonly string[];
  legend: readonly { text: string; color: string; dashed: boolean }[];
  canvas: HTMLCanvasElement;
  /** In CSS pixels. */
  width: number;
  height: number;
}

const EDGE = 12;
const GAP = 14;
const TITLE_PX = 22;
const LINE_PX = 16;
const SAMPLE_PX = 14;

/** All of them in rows of `columns`, under `title`; colours and font are those of `el`. */
export function drawn(el: HTMLElement, title: string, pictures: readonly Picture[], columns: number): HTMLCanvasElement {
  const style = getComputedStyle(el);
  const [ink, quiet] = [style.color, style.getPropertyValue("--quiet").trim() || style.color];
  const font = (weight: number, size: number) => `${weight} ${size}px ${style.fontFamily || "sans-serif"}`;
  const [{ width, height }] = [pictures[0] ?? { width: 0, height: 0 }];
  const each = height + 2 * LINE_PX;
  const rows = Math.ceil(pictures.length / columns);
  const canvas = document.createElement("canvas");
  const sharp = devicePixelRatio || 1;
  canvas.width = (2 * EDGE + columns * (width + GAP) - GAP) * sharp;
  canvas.height = (2 * EDGE + TITLE_PX + rows * (each + GAP) - GAP) * sharp;
  const pen = canvas.getContext("2d");
  if (!pen) return canvas;
  pen.scale(sharp, sharp);
  pen.textBaseline = "middle";
  pen.fillStyle = style.backgroundColor;
  pen.fillRect(0, 0, canvas.width, canvas.height);

  /** Returns where it ends: what has no room is cut at the edge of its chart. */
  const write = (text: string, x: number, y: number, weight: number, color: string, size = 12): number => {
    pen.font = font(weight, size);
    pen.fillStyle = color;
    pen.fillText(text, x, y);
    return x + pen.measureText(text).width;
  };
  write(title, EDGE, EDGE + TITLE_PX / 2 - 2, 600, ink, 13);
  pictures.forEach((one, n) => {
    const left = EDGE + (n % columns) * (width + GAP);
    const top = EDGE + TITLE_PX + Math.floor(n / columns) * (each + GAP);
    pen.save();
    pen.beginPath();
    pen.rect(left, top, width, each);
    pen.clip();
    write(one.notes.join(" · "), write(one.title, left, top + LINE_PX / 2, 600, ink) + 8, top + LINE_PX / 2, 400, quiet, 11);
    let x = left;
    for (const { text, color, dashed } of one.legend) {
      pen.strokeStyle = color;
      pen.lineWidth = 2;
      pen.setLineDash(dashed ? [4, 3] : []);
      pen.beginPath();
      pen.moveTo(x, top + 1.5 * LINE_PX);
      pen.lineTo(x + SAMPLE_PX, top + 1.5 * LINE_PX);
      pen.stroke();
      x = write(text, x + SAMPLE_PX + 4, top + 1.5 * LINE_PX, 400, ink, 11) + 10;
    }
    pen.drawImage(one.canvas, left, top + 2 * LINE_PX, one.width, one.height);
    pen.restore();
  });
  return canvas;
}

/** A name that is one on every file system: letters and figures of any language, the rest becomes a dash. */
export function fileName(job: string, id: string): string {
  const safe = job.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}_.-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "");
  return `${[[...safe].slice(0, 60).join(""), id].filter(Boolean).join("-")}.png`;
}

/** Saves it as a file of the browser's. */
export async function save(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!blob) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
