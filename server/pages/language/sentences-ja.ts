import type { Sentences } from "./sentences.ts";

/** Refusals in Japanese, by the English sentence. */
export const sentences: Sentences = {
  "The request has fields that cannot be accepted.": "受け付けられない項目があります。",
  "The body is not valid JSON.": "内容が正しい JSON ではありません。",
  "The request cannot be read.": "リクエストを読み取れません。",
  "The password cannot be used.": "このパスワードは使えません。",
  "The link or token is unknown, used or expired.":
    "リンクまたはトークンが無効か、使用済みか、期限切れです。",
  "Signing in with the provider did not work. Please start again.":
    "プロバイダーでのサインインができませんでした。もう一度はじめからお試しください。",
  "Sign in to continue.": "続けるにはサインインしてください。",
  "The session has ended. Sign in again.": "セッションが終了しました。もう一度サインインしてください。",
  "The refresh token was used before. Sign in again.":
    "リフレッシュトークンはすでに使われています。もう一度サインインしてください。",
  "Invalid email or password": "メールアドレスまたはパスワードが正しくありません",
  "You may not do this.": "この操作は許可されていません。",
  "Confirm your password to continue.": "続けるにはパスワードを確認してください。",
  "Choose a new password to continue.": "続けるには新しいパスワードを設定してください。",
  "The request carries no CSRF token.": "リクエストに CSRF トークンがありません。",
  "The CSRF token does not belong to this session.": "CSRF トークンがこのセッションのものではありません。",
  "The request comes from another origin.": "リクエストが別のサイトから送信されています。",
  "Invalid form token. Please refresh and try again.":
    "フォームが無効になりました。再読み込みして、もう一度お試しください。",
  "Registration is closed.": "登録は受け付けていません。",
  "There is nothing here.": "ここには何もありません。",
  "This address does not answer to that method.": "このアドレスはそのメソッドに対応していません。",
  "Email already registered": "このメールアドレスはすでに登録されています",
  "Username already taken": "このユーザー名はすでに使われています",
  "Somebody else changed this in the meantime. Load it again.":
    "その間にほかの人が変更しました。もう一度読み込んでください。",
  "The body is too large.": "内容が大きすぎます。",
  "Send JSON or a form.": "JSON またはフォームを送信してください。",
  "Too many requests. Please try again later.":
    "リクエストが多すぎます。しばらくしてからもう一度お試しください。",
  "The provider does not answer as it should. Please try again in a moment.":
    "プロバイダーが正しく応答していません。しばらくしてからもう一度お試しください。",
  "The server is busy. Please try again in a moment.":
    "サーバーが混み合っています。しばらくしてからもう一度お試しください。",
  "The service is temporarily unavailable.": "サービスは一時的に利用できません。",
  "Something went wrong.": "問題が発生しました。",
  "Email is required": "メールアドレスを入力してください",
  "Email or username is required": "メールアドレスまたはユーザー名を入力してください",
  "This is not an email address": "メールアドレスの形式ではありません",
  "Username is required": "ユーザー名を入力してください",
  "3 to 32 letters, digits, dots, dashes or underscores; some names are reserved":
    "文字、数字、ピリオド、ハイフン、アンダースコアで 3～32 文字にしてください。使えない名前もあります",
  "At most {count} characters": "{count} 文字以内にしてください",
  "Control characters cannot be used": "制御文字は使えません",
  "Control characters cannot be used.": "制御文字は使えません。",
  "A language tag such as en or pt-BR": "en や pt-BR のような言語コードを入力してください",
  "Name is required": "名前を入力してください",
  "Password is required": "パスワードを入力してください",
  "Current password is required": "現在のパスワードを入力してください",
  "New password is required": "新しいパスワードを入力してください",
  "Passwords do not match": "パスワードが一致しません",
  "Password must be at least {count} characters": "パスワードは {count} 文字以上にしてください",
  "Password is too long": "パスワードが長すぎます",
  "Password contains characters that cannot be used": "パスワードに使えない文字が含まれています",
  "Password must not be a name or address of yours or of this site":
    "ご自身やこのサイトの名前やアドレスはパスワードに使えません",
  "Password is too common": "よく使われているパスワードです",
  "Password is known from a data breach; choose another":
    "流出したことのあるパスワードです。別のものを設定してください",
  "Password must contain an uppercase letter": "パスワードには大文字が必要です",
  "Password must contain a lowercase letter": "パスワードには小文字が必要です",
  "Password must contain a digit": "パスワードには数字が必要です",
  "Password must contain a symbol": "パスワードには記号が必要です",
  "Choose another password than the one you have": "現在とは別のパスワードを設定してください",
  "Current password is incorrect": "現在のパスワードが正しくありません",
  "Enter the password that you chose when registering": "登録時に決めたパスワードを入力してください",
  "This is not the password that was chosen when registering": "登録時に決めたパスワードではありません",
  "The code is wrong, used or expired.": "コードが間違っているか、使用済みか、期限切れです。",
  "You do not have the permission {permission}": "権限 {permission} がありません",
  "Confirm your password to change your email address":
    "メールアドレスを変更するには、パスワードを確認してください",
  "Confirm your password to change how you sign in":
    "サインイン方法を変更するには、パスワードを確認してください",
  "Confirm your password to delete your account": "アカウントを削除するには、パスワードを確認してください",
  "Sign in again to change your email address.":
    "メールアドレスを変更するには、もう一度サインインしてください。",
  "Sign in again to change how you sign in.":
    "サインイン方法を変更するには、もう一度サインインしてください。",
  "Sign in again to delete your account.": "アカウントを削除するには、もう一度サインインしてください。",
  "Sign in again to continue.": "続けるには、もう一度サインインしてください。",
  "The form is not known.": "このフォームは認識できません。",
  "Send a form.": "フォームを送信してください。",
  "That session has ended already.": "そのセッションはすでに終了しています。",
  "Your account may not open that page.": "このアカウントではそのページを開けません。",
  "Too many failed login attempts. Please try again later.":
    "サインインの失敗が多すぎます。しばらくしてからもう一度お試しください。",
  "Too many failed login attempts. Reset the password, or sign in in a browser that you have used before.":
    "サインインの失敗が多すぎます。パスワードを再設定するか、以前に使ったことのあるブラウザーでサインインしてください。",
  "Too many wrong codes. Ask for a new one.":
    "間違ったコードが多すぎます。新しいコードを送り直してください。",
  "This link is for another account. Sign in to that one first.":
    "このリンクは別のアカウントのものです。先にそのアカウントでサインインしてください。",
  "This needs a session.": "この操作にはセッションが必要です。",
  "This needs the browser's session.": "この操作にはブラウザーのセッションが必要です。",
  "This cannot be done in somebody else's place.": "この操作はほかの人の代理では行えません。",
  "This cannot be changed here.": "ここでは変更できません。",
  "This account cannot be used.": "このアカウントは使えません。",
  "A restricted proof cannot manage the account.": "制限付きの認証ではアカウントを管理できません。",
  "A restricted proof cannot manage API keys.": "制限付きの認証では API キーを管理できません。",
  "You have {count} API keys. Revoke one first.":
    "API キーが {count} 個あります。先にどれかを取り消してください。",
  "The last administrator cannot go.": "最後の管理者は外せません。",
  "The last way to sign in cannot be removed.": "最後のサインイン方法は削除できません。",
  "No such account is linked.": "そのアカウントは連携していません。",
  "No such provider is configured.": "そのプロバイダーは設定されていません。",
  "Another {provider} account is linked. Unlink it first.":
    "別の {provider} アカウントが連携しています。先に連携を解除してください。",
  "This {provider} account is linked to another account already.":
    "この {provider} アカウントはすでに別のアカウントと連携しています。",
  "You did not allow signing in with {provider}.": "{provider} でのサインインが許可されませんでした。",
  "Email already registered. Sign in as before, then link the account on your account page.":
    "このメールアドレスはすでに登録されています。いつものようにサインインし、アカウントページで連携してください。",
  "{provider} gave no email address. Create an account with a password, then link {provider} to it.":
    "{provider} からメールアドレスを受け取れませんでした。パスワードでアカウントを作成し、そのあと {provider} を連携してください。",
  "{provider} has not confirmed your email address. Create an account with a password, then link {provider} to it.":
    "{provider} でメールアドレスが確認されていません。パスワードでアカウントを作成し、そのあと {provider} を連携してください。",
  "The account is suspended.": "アカウントは停止されています。",
  "The account is deleted.": "アカウントは削除されています。",
  "The body is not UTF-8.": "内容が UTF-8 ではありません。",
  "A key cannot be used.": "使えないキーがあります。",
  "The field is given twice.": "同じ項目が二度指定されています。",
  "You are signed in already.": "すでにサインインしています。",
};
