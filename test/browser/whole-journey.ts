import { expect } from "vitest";
import { type Person, submit } from "./chromium.ts";
import { password } from "./site.ts";

const next = "another good pass phrase";

/**
 * All that a person does with an account, in two browsers of their own: registers, looks after the account, ends what is signed in
 * elsewhere, and signs out.
 *
 * @param someone - opens a browser on the site at `origin`, on which nobody has registered
 */
export async function wholeJourney(origin: string, someone: () => Promise<Person>): Promise<void> {
  const ada = await someone();
  const { page } = ada;
  const heading = page.getByRole("heading", { level: 1 });

  await page.goto("/");
  expect(new URL(page.url()).pathname).toBe("/login");
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("Username").fill("ada");
  await page.getByLabel("Name (optional)", { exact: true }).fill("Ada Lovelace");
  const typed = { Email: "ada@example.com", Password: password, "Confirm password": "something else" };
  await submit(page, typed, "Create account");
  expect(await page.getByRole("alert").innerText()).toContain("Passwords do not match");
  expect(await page.getByLabel("Email", { exact: true }).inputValue()).toBe("ada@example.com");
  await submit(page, { Password: password, "Confirm password": password }, "Create account");
  expect(new URL(page.url()).pathname).toBe("/app/dashboard");
  expect(await heading.innerText()).toBe("Welcome, Ada Lovelace!");

  await page.getByRole("link", { name: "Account", exact: true }).click();
  await submit(page, { "Name (optional)": "Countess Lovelace" }, "Save profile");
  expect(await page.getByRole("status").innerText()).toBe("Your profile is saved.");

  const phone = await someone();
  await signIn(phone);
  await page.reload();
  expect(await page.getByRole("listitem").filter({ hasText: "Chrome on Linux" }).count()).toBe(2);
  await submit(
    page,
    { "Current password": password, "New password": next, "Confirm new password": next },
    "Change password",
  );
  expect(await page.getByRole("status").innerText()).toContain("Your password is changed.");
  await phone.page.goto("/account");
  expect(new URL(phone.page.url()).pathname).toBe("/login");
  await signIn(phone);
  expect(await phone.page.getByRole("alert").innerText()).toContain("Invalid email or password");

  await signIn(phone, next);
  expect(await phone.page.getByRole("heading", { level: 1 }).innerText()).toBe("Welcome, Countess Lovelace!");
  await page.goto("/account");
  await submit(page, {}, "End all other sessions");
  expect(await page.getByRole("status").innerText()).toBe("Every other session has ended.");
  await phone.page.reload();
  expect(new URL(phone.page.url()).pathname).toBe("/login");

  await page.getByRole("link", { name: "Sign out" }).click();
  await submit(page, {}, "Sign out");
  expect(await page.getByRole("status").innerText()).toBe("You are signed out.");
  await page.goBack();
  await page.goto("/app/dashboard");
  expect(page.url()).toBe(`${origin}/login?next=%2Fapp%2Fdashboard`);
  expect([...ada.complaints, ...phone.complaints]).toEqual([]);
}

async function signIn({ page }: Person, secret: string = password): Promise<void> {
  await page.goto("/login");
  await submit(page, { "Email or username": "ada", Password: secret }, "Sign in");
}
