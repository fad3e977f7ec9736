// The phone's part of a sign-in page. It fills each element with data-fido:
//
//   data-fido        where the handler is mounted, such as /signin/fido
//   data-fido-done   the page to go to when the citizen is signed in
//   data-fido-modes  which ways to offer, such as "qr push web redirect"
//
// Everything is built with the DOM: the page's policy may forbid inline scripts,
// styles and markup. What is under way is kept in localStorage until it ends, so
// that a page that is loaded again goes on with it; without the browser's cookie it
// is worth nothing.
"use strict";

(() => {
  const texts = {
    "zh-TW": {
      id: "身分證統一編號或居留證號碼",
      qr: "以手機掃描 QR Code", push: "傳送通知到手機", web: "在這支手機上開啟 App", app: "在這支手機上開啟 App",
      redirect: "前往內政部網站驗證",
      scan: "請以行動自然人憑證 App 掃描此 QR Code。", pushed: "如您已註冊，手機將收到通知；請開啟 App 確認。",
      open: "開啟行動自然人憑證 App", wait: "等待手機確認中。", left: (n) => `剩餘時間 ${n}`,
      cancel: "取消", canceled: "已取消。", done: "登入成功。", offline: "連線中斷，正在重試。", expired: "手機驗證已逾時，請重新開始。",
    },
    en: {
      id: "National ID or resident certificate number",
      qr: "Scan a QR code with your phone", push: "Send a notification to your phone", web: "Open the app on this phone", app: "Open the app on this phone",
      redirect: "Go to the site of the Ministry of the Interior",
      scan: "Scan this QR code with the TW FidO app.", pushed: "If you are registered, your phone will be notified. Open the app to confirm.",
      open: "Open the TW FidO app", wait: "Waiting for your phone.", left: (n) => `Time left: ${n}`,
      cancel: "Cancel", canceled: "Canceled.", done: "You are signed in.", offline: "The connection was lost. Trying again.", expired: "The time to confirm on your phone is over. Please start again.",
    },
  };
  const language = document.documentElement.lang.startsWith("zh") ? "zh-TW" : "en";
  const say = texts[language];
  const svg = "http://www.w3.org/2000/svg";

  function element(name, properties, ...children) {
    const e = Object.assign(document.createElement(name), properties);
    e.append(...children);
    return e;
  }

  // drawQR makes the code of white ground and black modules, whatever the colours
  // of the page.
  function drawQR(code) {
    const image = document.createElementNS(svg, "svg");
    const set = (e, attributes) => Object.entries(attributes).forEach(([k, v]) => e.setAttribute(k, v));
    set(image, { viewBox: `0 0 ${code.size} ${code.size}`, width: 300, height: 300, role: "img", "aria-label": say.scan, "shape-rendering": "crispEdges" });
    for (const [fill, d] of [["#fff", `M0 0h${code.size}v${code.size}H0z`], ["#000", code.path]]) {
      const path = document.createElementNS(svg, "path");
      set(path, { fill, d });
      image.append(path);
    }
    return image;
  }

  function start(root) {
    const base = root.dataset.fido;
    const modes = (root.dataset.fidoModes || "qr").split(" ");
    const key = `citizencert-fido ${base}`;
    const input = element("input", { name: "idNumber", autocomplete: "off", maxLength: 10, required: true, spellcheck: false });
    const form = element("form", {}, element("label", {}, say.id, " ", input));
    const shown = element("div");
    const status = element("p");
    const left = element("p");
    const cancel = element("button", { type: "button", hidden: true, textContent: say.cancel });
    status.setAttribute("role", "status");
    let round = 0; // of what is waited for; an older one stops

    for (const mode of modes) {
      const button = element("button", { type: "submit", value: mode, textContent: say[mode] });
      button.formNoValidate = mode === "redirect";
      form.append(" ", button);
    }
    root.replaceChildren(form, shown, status, left, cancel);

    async function post(path, body) {
      const response = await fetch(base + path, {
        method: "POST", credentials: "same-origin",
        headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      });
      const answer = response.status === 204 ? null : await response.json();
      return { ok: response.ok, status: response.status, answer };
    }

    function end(text) {
      round++;
      localStorage.removeItem(key);
      shown.replaceChildren();
      left.textContent = "";
      cancel.hidden = true;
      form.hidden = false;
      status.textContent = text;
    }

    function show(attempt) {
      form.hidden = true;
      cancel.hidden = false;
      shown.replaceChildren();
      status.textContent = say.wait;
      if (attempt.qr) {
        shown.append(element("p", { textContent: say.scan }), drawQR(attempt.qr));
      } else if (attempt.link) {
        shown.append(element("a", { href: attempt.link, textContent: say.open }));
      } else if (!attempt.form) {
        shown.append(element("p", { textContent: say.pushed }));
      }
    }

    // watch asks until the attempt has ended. Failures of the connection are waited
    // out: on a phone the first one tends to fail when the app comes up.
    async function watch(attempt) {
      const mine = ++round;
      const expiry = Date.parse(attempt.expiry);
      let missed = false; // the last time there was no such attempt
      const tick = () => {
        const seconds = Math.max(0, Math.ceil((expiry - Date.now()) / 1000));
        left.textContent = say.left(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
      };
      tick(); // now, so that nothing moves away from under a click
      const clock = setInterval(() => mine === round && tick(), 1000);
      try {
        while (mine === round) {
          await new Promise((wake) => setTimeout(wake, attempt.pollSeconds * 1000));
          if (mine !== round) return;
          let result;
          try {
            result = await post("/status", { attempt: attempt.attempt });
          } catch {
            if (Date.now() > expiry) return end(say.expired);
            status.textContent = say.offline;
            continue;
          }
          if (mine !== round) return;
          // Another tab, such as one that the app has opened, may be asking at this
          // moment, or have finished: then what was kept has gone by the next time.
          const gone = !result.ok && result.answer.code === "challenge";
          if (gone && !missed) {
            missed = true;
            continue;
          }
          missed = false;
          if (gone && root.dataset.fidoDone && localStorage.getItem(key) === null) {
            location.assign(root.dataset.fidoDone); // which asks to sign in if nobody is
            return;
          }
          if (!result.ok) return end(result.answer.message[language]);
          if (result.answer.state === "done") {
            end(say.done);
            if (root.dataset.fidoDone) location.assign(root.dataset.fidoDone);
            return;
          }
          status.textContent = say.wait;
        }
      } finally {
        clearInterval(clock);
      }
    }

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const mode = event.submitter ? event.submitter.value : modes[0];
      status.textContent = "";
      let result;
      try {
        const id = mode === "redirect" ? "" : input.value.trim().toUpperCase();
        result = await post("/start", { mode, idNumber: id });
      } catch {
        status.textContent = say.offline;
        return;
      }
      if (!result.ok) {
        status.textContent = result.answer.message[language];
        return;
      }
      const attempt = result.answer;
      input.value = "";
      localStorage.setItem(key, JSON.stringify(attempt));
      show(attempt);
      if (attempt.form) {
        const leave = element("form", { method: "post", action: attempt.form.action, hidden: true });
        for (const [name, value] of Object.entries(attempt.form.fields)) {
          leave.append(element("input", { type: "hidden", name, value }));
        }
        document.body.append(leave);
        leave.submit();
        return;
      }
      watch(attempt);
    });

    cancel.addEventListener("click", () => {
      const attempt = JSON.parse(localStorage.getItem(key) || "null");
      end(say.canceled);
      if (attempt) post("/cancel", { attempt: attempt.attempt }).catch(() => {});
    });

    const kept = JSON.parse(localStorage.getItem(key) || "null");
    if (kept && Date.parse(kept.expiry) > Date.now()) {
      show(kept);
      watch(kept);
    } else {
      localStorage.removeItem(key);
    }
  }

  document.querySelectorAll("[data-fido]").forEach(start);
})();
