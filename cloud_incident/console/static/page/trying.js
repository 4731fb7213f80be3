// Work that takes its time and may be refused.

import { useEffect, useRef, useState } from "preact/hooks";

/** Whether the part of the page that asks is still there: what comes for it later is nobody's. */
export function useAlive() {
  const alive = useRef(true);
  useEffect(() => () => {
    alive.current = false;
  }, []);
  return alive;
}

/** One thing at a time, and what was said against the last: `problem(of)` is that of one form. */
export function useTrying() {
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState({ said: "", of: "", status: 0 });
  const working = useRef(false);
  const trying = async (of, work) => {
    if (working.current) return false; // a second press, or a key held down
    working.current = true;
    setBusy(true);
    setTold({ said: "", of, status: 0 });
    try {
      await work();
      return true;
    } catch (refusal) {
      setTold({ said: refusal.message, of, status: refusal.status });
      return false;
    } finally {
      working.current = false;
      setBusy(false);
    }
  };
  return { busy, trying, last: told.of, gone: told.status === 404, problem: (of) => (told.of === of ? told.said : "") };
}
