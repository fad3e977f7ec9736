// The phone's part of a page: begins an attempt, shows the citizen the way to the
// phone, and asks the server until there is an answer. What is under way is kept in
// localStorage until it ends, so that a page that is loaded again, or that the app
// opens, goes on with it; without the browser's cookie it is worth nothing.
"use strict";

(() => {
  for (const root of document.querySelectorAll("[data-fido]")) {
    prepare(root);
  }

  function prepare(root) {
    const find = (name) => root.querySelector(`[data-fido-${name}]`);
    const settings = JSON.parse(find("settings").textContent);
    const texts = settings.texts;
    const key = "citizencert-fido " + settings.path;
    const form = root.querySelector("form");
    const number = find("number");
    const shown = find("shown");
    const status = root.querySelector("[role=status]");
    const clock = find("clock");
    const cancel = find("cancel");
    let round = 0; // of what is waited for; an older one stops
    let skew = 0; // of the server's clock against ours, in milliseconds
    let hurry = () => {}; // ends a pause

    const say = (text) => {
      delete status.dataset.failed;
      number.removeAttribute("aria-invalid");
      if (status.textContent !== text) { // what is set again may be read out again
        status.textContent = text;
      }
    };
    const fail = (problem) => {
      say(texts.failed + problem.message[settings.language]);
      status.dataset.failed = problem.code;
      if (problem.code === "phone-id-number") {
        number.setAttribute("aria-invalid", "true");
        number.focus();
      } else {
        status.focus();
      }
    };
    const unreachable = { code: "unreachable", message: { [settings.language]: texts.unreachable } };
    const clear = () => {
      round++;
      hurry();
      localStorage.removeItem(key);
      shown.replaceChildren();
      clock.hidden = true;
      cancel.hidden = true;
    };
    const end = () => {
      clear();
      form.hidden = false;
    };

    async function post(path, body) {
      const response = await fetch(settings.path + path, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      skew = Date.parse(response.headers.get("Date")) - Date.now() || skew;
      return { ok: response.ok, answer: response.status === 204 ? null : await response.json() };
    }

    // show puts the way to the phone in place of the form.
    function show(attempt) {
      form.hidden = true;
      cancel.hidden = false;
      if (attempt.qr) {
        shown.replaceChildren(element("p", texts.scan), drawQR(attempt.qr, texts.code));
      } else if (attempt.link) {
        const link = element("a", texts.open);
        link.href = attempt.link;
        link.className = "fido-link";
        shown.replaceChildren(element("p", texts.follow), link);
      } else if (!attempt.form) {
        shown.replaceChildren(element("p", texts.pushed));
      }
      shown.append(element("p", texts.caution));
      shown.lastChild.className = "fido-hint";
      say(texts.wait);
    }

    const pause = (milliseconds) => new Promise((wake) => {
      const timer = setTimeout(wake, milliseconds);
      hurry = () => {
        clearTimeout(timer);
        wake();
      };
    });

    // watch asks until the attempt has ended. Failures of the connection are waited
    // out: on a phone the first one tends to fail when the app comes up, and a server
    // that starts again goes on with the attempt.
    async function watch(attempt) {
      const mine = ++round;
      const left = () => Math.max(0, Math.ceil((Date.parse(attempt.expiry) - Date.now() - skew) / 1000));
      let warned = left() < 60;
      let missed = false; // the last time there was no such attempt
      const tick = () => {
        const seconds = left();
        find("time").textContent = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
        if (seconds < 60 && !warned) {
          warned = true;
          say(texts.minute);
        }
      };
      tick();
      clock.hidden = false;
      const timer = setInterval(tick, 1000);
      while (await pause(1000 * Math.min(attempt.pollSeconds, left() + 1)), mine === round) {
        let result;
        try {
          result = await post("status", { attempt: attempt.attempt });
        } catch {
          if (mine === round && left() === 0) {
            end();
            fail(unreachable);
          } else if (mine === round) {
            say(texts.offline);
          }
          continue;
        }
        if (mine !== round) {
          break;
        }
        // Another tab may be asking at this moment: then the attempt is back next time.
        const gone = !result.ok && result.answer.code === "challenge" && !missed;
        missed = gone;
        if (gone) {
          continue;
        }
        if (!result.ok) {
          end();
          fail(result.answer);
        } else if (result.answer.state === "done") {
          clear();
          say(texts.done);
          location.assign(result.answer.next ?? settings.next);
        } else if (status.textContent === texts.offline) {
          say(texts.wait);
        }
      }
      clearInterval(timer);
    }

    // Who comes back from the app does not want to wait.
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") {
        hurry();
      }
    });

    // Another tab has the same attempt, such as the one that the app has opened.
    window.addEventListener("storage", (event) => {
      if (event.key === key && event.newValue === null && form.hidden) {
        end();
        say(texts.elsewhere);
      }
    });

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const mode = event.submitter?.value ?? form.querySelector("button").value;
      const buttons = form.querySelectorAll("button");
      buttons.forEach((b) => { b.disabled = true; });
      say(texts.begin);
      let result;
      try {
        const idNumber = mode === "redirect" ? "" : number.value.trim().toUpperCase();
        result = await post("start", { mode, idNumber });
      } catch {
        result = { ok: false, answer: unreachable };
      }
      buttons.forEach((b) => { b.disabled = false; });
      if (!result.ok) {
        fail(result.answer);
        return;
      }
      const attempt = result.answer;
      number.value = "";
      localStorage.setItem(key, JSON.stringify(attempt));
      show(attempt);
      if (attempt.form) {
        leave(attempt.form);
        return;
      }
      (shown.querySelector("a") ?? shown).focus();
      watch(attempt);
    });

    cancel.addEventListener("click", () => {
      const attempt = kept();
      end();
      say(texts.canceled);
      number.focus();
      if (attempt) {
        post("cancel", { attempt: attempt.attempt }).catch(() => {}); // it ends by itself
      }
    });

    function kept() {
      return JSON.parse(localStorage.getItem(key) ?? "null");
    }

    const attempt = kept();
    if (attempt && Date.parse(attempt.expiry) > Date.now()) {
      show(attempt);
      watch(attempt);
    } else {
      localStorage.removeItem(key);
    }
    form.querySelectorAll("button").forEach((b) => { b.disabled = false; });
  }

  // leave goes to MOI's site, which takes a form.
  function leave({ action, fields }) {
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action, hidden: true });
    for (const [name, value] of Object.entries(fields)) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    document.body.append(form);
    form.submit();
  }

  function element(name, text) {
    return Object.assign(document.createElement(name), { textContent: text });
  }

  // drawQR makes the code of white ground and black modules, whatever the colors of
  // the page.
  function drawQR(code, label) {
    const node = (name, attributes) => {
      const e = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) {
        e.setAttribute(key, value);
      }
      return e;
    };
    const image = node("svg", {
      class: "fido-code", viewBox: `0 0 ${code.size} ${code.size}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges",
    });
    image.append(
      node("path", { fill: "#fff", d: `M0 0h${code.size}v${code.size}H0z` }),
      node("path", { fill: "#000", d: code.path }),
    );
    return image;
  }
})();
