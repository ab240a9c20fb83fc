// data-desktop [data-shows] [data-sounds] on the open board: tells of each new child [data-call] by a desktop notification
// and two short tones. What was there when the page came is old. A paused board is silent: it fetches nothing.
// [data-desktop-ask] appears where the browser needs a click first, for its permission or to let sound out.
(() => {
  const place = document.querySelector("[data-desktop]");
  if (!place) return;
  const shows = "shows" in place.dataset && "Notification" in window;
  const sounds = "sounds" in place.dataset && "AudioContext" in window;
  const ask = document.querySelector("[data-desktop-ask]");
  const TONES = [[660, 0], [880, 0.18]]; // hertz, seconds from now
  const calls = () => [...document.querySelectorAll("[data-desktop] [data-call]")];
  const known = new Set(calls().map((call) => call.dataset.call));
  let audio = null;

  function offer() {
    const words = [];
    if (shows && Notification.permission === "default") words.push("desktop notifications");
    if (sounds && audio?.state !== "running") words.push("sound");
    if (!ask) return;
    ask.hidden = !words.length;
    ask.querySelector("span").textContent = `Allow ${words.join(" and ")}`;
  }

  async function allow() {
    if (sounds) {
      audio ??= new AudioContext();
      await audio.resume();
    }
    if (shows && Notification.permission === "default") await Notification.requestPermission();
    offer();
  }

  function sound() {
    if (audio?.state !== "running") return;
    for (const [hertz, later] of TONES) {
      const start = audio.currentTime + later;
      const tone = new OscillatorNode(audio, { frequency: hertz });
      const volume = new GainNode(audio, { gain: 0 });
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(0.2, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.16);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.17);
    }
  }

  function show(fresh) {
    if (!shows || Notification.permission !== "granted") return;
    const [first] = fresh;
    const more = fresh.length > 1 ? ` and ${fresh.length - 1} more` : "";
    const told = new Notification(first.dataset.title + more, { body: first.dataset.impact, tag: `group-${first.dataset.call}` });
    told.onclick = () => { focus(); location.assign(fresh.length > 1 ? "/oncall/" : first.dataset.url); };
  }

  // Several at once, as in a storm, are one notification and one sound.
  document.addEventListener("spot:refreshed", (event) => {
    if (!event.target.matches?.("[data-desktop]")) return;
    const fresh = calls().filter((call) => !known.has(call.dataset.call));
    known.clear();
    for (const call of calls()) known.add(call.dataset.call);
    if (!fresh.length) return;
    show(fresh);
    if (sounds) sound();
  });

  ask?.addEventListener("click", allow);
  if (sounds) addEventListener("pointerdown", () => { audio ??= new AudioContext(); audio.resume().then(offer); }, { once: true });
  offer();
})();
