// Takes a signature from the card reader component: opens the component's
// window, gives it the request of the form, and sends the answer to the server.
// Nothing that arrives here is trusted or even read; the server verifies it.
"use strict";

for (const form of document.querySelectorAll("form[data-component]")) {
  form.addEventListener("submit", (event) => {
    if (form.elements.answer.value === "") {
      event.preventDefault();
      askComponent(form);
    }
  });
}

function askComponent(form) {
  const component = new URL(form.dataset.component).origin;
  const status = form.querySelector("[role=status]");
  const say = (text) => { status.textContent = text; };

  // Opened in the handler of a click: pop-up blockers let it pass.
  const popup = window.open(component + "/popupForm", "_blank", "popup,width=560,height=640");
  if (popup === null) {
    say(form.dataset.missing);
    return;
  }
  // A component that is not running never asks for the request.
  const timer = setTimeout(() => { say(form.dataset.missing); }, 10000);
  say(form.dataset.waiting);

  window.addEventListener("message", function listen(event) {
    if (event.origin !== component || event.source !== popup) {
      return;
    }
    const message = JSON.parse(event.data);
    if (message.func === "getTbs") {
      clearTimeout(timer);
      say(form.dataset.waiting);
      // The component sends the text on as form data without escaping it.
      popup.postMessage(form.dataset.request.replaceAll("+", "%2B"), component);
    } else if (message.func === "sign") {
      window.removeEventListener("message", listen);
      say(form.dataset.received);
      form.elements.answer.value = event.data;
      form.submit();
    }
  });
}
