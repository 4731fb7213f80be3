// Signing in: the token goes to the server once, which keeps it in a cookie that no script can read.

import { post } from "./api.js";

const problem = document.getElementById("problem");
const token = document.getElementById("token");

document.getElementById("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.hidden = true;
  try {
    await post("console/session", { token: token.value });
    location.replace(`./${location.hash}`);
  } catch (refusal) {
    problem.textContent = refusal.status === 401 ? "This token is not known here, or it has expired." : refusal.message;
    problem.hidden = false;
    token.select();
  }
});
