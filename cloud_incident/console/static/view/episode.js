// An episode as the frames that are known of it, and what can be read off them.

export const FRAMES = "cloud-incident/frames";

export const numberOf = (frame) => frame.step?.step ?? 0;

/** Known frames and new ones, by step; frames of another episode take their place. */
export function merged(known, added) {
  const episode = added.at(-1)?.observation.episode_id;
  const kept = known.filter((frame) => frame.observation.episode_id === episode);
  const byNumber = new Map([...kept, ...added].map((frame) => [numberOf(frame), frame]));
  return [...byNumber.values()].sort((one, other) => numberOf(one) - numberOf(other));
}

/** The place of the frame that a call of a tool is about: its last of that action on that service, or the last of all. */
export function about(frames, tool, service) {
  const place = frames.findLastIndex(
    ({ evidence }) => evidence?.action === tool && evidence.service === service?.trim().toLowerCase(),
  );
  return place < 0 ? frames.length - 1 : place;
}

/** Whether every moment up to the last known one is known. */
export const whole = (frames) => frames.length > 0 && frames.length === numberOf(frames.at(-1)) + 1;

/** Evidence shown up to a frame, newest first. */
export const shownUntil = (frames, place) =>
  frames
    .slice(0, place + 1)
    .filter((frame) => frame.evidence)
    .map((frame) => ({ ...frame.evidence, step: numberOf(frame) }))
    .reverse();

/** An action in words: its name and what it was done to. */
export function told(action) {
  const [target = ""] = Object.values(action.parameters).filter((value) => typeof value === "string");
  return { name: action.action_type, target: target.length > 60 ? "" : target };
}

/** For each service the numbers of the sentences of the causal chain that name it. */
export function chainOf(frame) {
  const places = new Map();
  for (const { name } of frame.service_map.services) {
    const whole = new RegExp(`(?<![\\w-])${name.replace(/[^\w-]/g, "\\$&")}(?![\\w-])`);
    const numbers = (frame.debrief?.causal_chain ?? []).flatMap((said, index) => (whole.test(said) ? [index + 1] : []));
    if (numbers.length) places.set(name, numbers);
  }
  return places;
}

const WORST = ["down", "failing", "degraded", "unknown", "healthy"];

/** The worst health of the calls to a service that queries have shown; undefined where none did. */
export const healthOf = (name, calls) =>
  WORST.find((health) => calls.some((call) => call.to === name && call.health === health));
