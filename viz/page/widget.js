// The widget of a notebook: the page in a frame, and its position as a trait of the Python object.
function render({model, el}) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  frame.title = "The backward pass";
  frame.style.cssText = `width: 100%; height: ${model.get("height")}px; border: 0`;
  frame.srcdoc = model.get("page");
  let begun = false; // whether the page has said where it is
  const hear = (event) => {
    const told = event.source === frame.contentWindow && event.data && event.data.micrornn;
    if (!told) return;
    model.set("last", told.last);
    if (model.get("position") < 0 || begun) {
      model.set("position", told.position);
    } else {
      tell(); // a position that was set before the page was there
    }
    begun = true;
    model.save_changes();
  };
  const tell = () => frame.contentWindow && frame.contentWindow.postMessage({micrornn: {position: model.get("position")}}, "*");
  window.addEventListener("message", hear);
  model.on("change:position", tell);
  el.appendChild(frame);
  return () => {
    window.removeEventListener("message", hear);
    model.off("change:position", tell);
  };
}
export default {render};
