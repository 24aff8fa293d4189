/** A client for browsers: it keeps the CSRF token in memory, and the browser keeps the cookies. */
class AuthClient {
  async login(username, password) {
    const res = await fetch("/api/v1/auth/login", {
      method: "POST",
      credentials: "include",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ username, password }),
    });
    if (!res.ok) throw new Error("login failed");
    const { csrf_token } = await res.json();
    this.csrfToken = csrf_token;
    return csrf_token;
  }

  async post(url, body) {
    return fetch(url, {
      method: "POST",
      credentials: "include",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": this.csrfToken },
      body: JSON.stringify(body),
    });
  }

  async logout() {
    await fetch("/api/v1/auth/logout", {
      method: "POST",
      credentials: "include",
      headers: { "X-CSRF-Token": this.csrfToken },
    });
    this.csrfToken = null;
  }
}

const client = new AuthClient();
const element = (id) => document.getElementById(id);
const say = (text) => {
  element("said").textContent = text;
};
const whoIsIt = async () => {
  const res = await fetch("/me");
  say(res.ok ? `Signed in as ${(await res.json()).username}` : "Signed out");
};

element("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { username, password } = Object.fromEntries(new FormData(event.target));
  await client.login(username, password).then(whoIsIt, (error) => say(error.message));
});
element("key").addEventListener("click", async () => {
  const res = await client.post("/api/v1/api-keys/", {
    name: "Integration Key",
    permissions: {},
    usage_limits: {},
  });
  say(res.ok ? `Shown once: ${(await res.json()).key}` : `Refused: ${res.status}`);
});
element("logout").addEventListener("click", () => client.logout().then(whoIsIt));
