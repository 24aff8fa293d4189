/** The page with the sign-in form. */
export function loginPage(): string {
  return page(
    "Sign in",
    `<form method="POST" action="/login-form">
  <p><label for="email">Email</label> <input type="email" name="email" id="email" autocomplete="username" required></p>
  <p><label for="password">Password</label> <input type="password" name="password" id="password" autocomplete="current-password" required></p>
  <button type="submit">Sign in</button>
</form>`,
  );
}

/** Where somebody starts who is signed in. */
export function dashboardPage(name: string, csrfToken: string | null): string {
  return page(
    `Hello, ${name}`,
    `<p><a href="/profile">Your profile</a></p>
<form method="POST" action="/logout">
  ${tokenField(csrfToken ?? "")}
  <button type="submit">Sign out</button>
</form>`,
  );
}

/** The form for one's name. */
export function profilePage(name: string, formToken: string): string {
  return page(
    "Your profile",
    `<form method="POST" action="/profile/update">
  ${tokenField(formToken)}
  <div class="form-group">
    <label for="name">Name</label>
    <input type="text" name="name" id="name" value="${escaped(name)}">
  </div>
  <button type="submit">Update Profile</button>
</form>`,
  );
}

function tokenField(token: string): string {
  return `<input type="hidden" name="_token" value="${escaped(token)}">`;
}

function page(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escaped(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${main}
</main>
</body>
</html>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
