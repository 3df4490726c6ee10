/** Symbols of the map, drawn on a canvas: no sprite has to be fetched. */

import type { Map as MapLibre } from "maplibre-gl";

const RATIO = 2;

function draw(size: number, paint: (context: CanvasRenderingContext2D) => void): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * RATIO;
  const context = canvas.getContext("2d")!;
  context.scale(RATIO, RATIO);
  context.lineJoin = context.lineCap = "round";
  paint(context);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function plate(context: CanvasRenderingContext2D, size: number, edge: string) {
  context.beginPath();
  context.roundRect(2, 2, size - 4, size - 4, 7);
  context.fillStyle = "#e8edf4";
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = edge;
  context.stroke();
  context.strokeStyle = context.fillStyle = "#17202b";
  context.lineWidth = 1.8;
}

/** A house with a gate. */
const depot = () =>
  draw(28, (c) => {
    plate(c, 28, "#0e131a");
    c.stroke(new Path2D("M7.5 14 L14 8 L20.5 14 M9.2 13 V20 H18.8 V13 M12 20 V16 H16 V20"));
  });

/** An arrow into a heap. */
const facility = () =>
  draw(28, (c) => {
    plate(c, 28, "#0e131a");
    c.stroke(new Path2D("M14 7 V14.2 M10.8 11.4 L14 14.6 L17.2 11.4 M7.5 16.5 V20.5 H20.5 V16.5"));
  });

/** A disc in the tour's colour with a nose that shows the way. */
export const truckIcon = (colour: string) =>
  draw(34, (c) => {
    c.translate(17, 17);
    c.shadowColor = "rgb(0 0 0 / 0.55)";
    c.shadowBlur = 4;
    c.beginPath();
    c.moveTo(0, -15);
    c.lineTo(7.4, -7.2);
    c.arc(0, 0, 10.4, -0.77, Math.PI + 0.77);
    c.closePath();
    c.fillStyle = "#f6f8fb";
    c.fill();
    c.shadowBlur = 0;
    c.beginPath();
    c.arc(0, 0, 7.2, 0, 2 * Math.PI);
    c.fillStyle = colour;
    c.fill();
  });

export function addPlaceIcons(map: MapLibre) {
  map.addImage("depot", depot(), { pixelRatio: RATIO });
  map.addImage("facility", facility(), { pixelRatio: RATIO });
}

export function addTruckIcon(map: MapLibre, colour: string): string {
  const name = `truck-${colour}`;
  if (!map.hasImage(name)) map.addImage(name, truckIcon(colour), { pixelRatio: RATIO });
  return name;
}
