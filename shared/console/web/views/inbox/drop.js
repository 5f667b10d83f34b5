// Take files that are dropped on an element.

import { useRef, useState } from "../../lib.js";

/** Return {isOver, handlers}: `onFiles` gets what is dropped while `isTaking`. */
export function useDrop(onFiles, isTaking) {
  const [isOver, setOver] = useState(false);
  const depth = useRef(0);
  const hasFiles = (event) => isTaking && event.dataTransfer?.types.includes("Files");
  const step = (by) => (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current = Math.max(0, depth.current + by);
    setOver(depth.current > 0);
  };
  const drop = (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    onFiles([...event.dataTransfer.files]);
  };
  return { isOver, handlers: { onDragEnter: step(1), onDragLeave: step(-1), onDragOver: (event) => hasFiles(event) && event.preventDefault(), onDrop: drop } };
}
