import type { MailFacts } from "./facts.ts";
import { instant, lasting, type Words } from "./words.ts";

const units = { minute: "分", hour: "時間", day: "日" } as const;
const time = (seconds: number): string => lasting(seconds, (count, unit) => `${count}${units[unit]}`);
const works = ({ ttlSeconds }: MailFacts): string =>
  `リンクは一度だけ、${time(ttlSeconds ?? 0)}以内に使えます。`;
const ignore = "心当たりがない場合は、何もする必要はありません。";

/** Japanese. */
export const japanese: Words = {
  orOpen: "または、次のアドレスを開いてください。",
  lasting: time,
  footer: ({ site, origin, to }) =>
    `このメールは ${site}（${origin}）から ${to} 宛てに送信されました。返信は読まれません。`,
  mails: {
    verify: (facts) => ({
      subject: `${facts.site} のメールアドレスの確認`,
      lead: [
        `${facts.to} がご自身のアドレスであることを確認してください。アカウントにサインインしている必要があります。`,
      ],
      button: "アドレスを確認する",
      rest: [
        works(facts),
        "アカウントをお持ちでない場合は、ほかの方の入力間違いです。リンクを開かないでください。",
      ],
    }),
    reset: (facts) => ({
      subject: `${facts.site} の新しいパスワードの設定`,
      lead: [`${facts.to} のアカウントについて、パスワードの再設定が申し込まれました。`],
      button: "パスワードを設定する",
      rest: [`${works(facts)}すべての端末からサインアウトされます。`, ignore],
    }),
    registration: (facts) => ({
      subject: `${facts.site} のアカウント`,
      lead: [`${facts.to} でのアカウントの作成が申し込まれました。`],
      button: "アカウントを作成する",
      rest: [works(facts), `${ignore}リンクを使わないかぎり、アカウントは作成されません。`],
    }),
    registration_taken: (facts) => ({
      subject: `${facts.site} のアカウントはすでにあります`,
      lead: [
        `${facts.to} をアカウントに使おうとする申し込みがありました。このアドレスのアカウント（あなたのもの）はすでにあります。`,
        "いつものようにサインインしてください。パスワードをお忘れの場合は、サインインページから再設定できます。",
      ],
      button: "サインイン",
      rest: ["心当たりがない場合は、何もする必要はありません。何も変更されていません。"],
    }),
    email_change: (facts) => ({
      subject: `${facts.site} の新しいメールアドレスの確認`,
      lead: [
        `アカウントのアドレスを ${facts.to} に変更することを確認してください。サインインしている必要があります。`,
        "確認するまで、何も変わりません。",
      ],
      button: "アドレスを確認する",
      rest: [works(facts), "心当たりがない場合は、リンクを開かないでください。"],
    }),
    email_changed: (facts) => ({
      subject: `${facts.site} のアカウントのメールアドレスが変更されました`,
      lead: [
        `アカウントのアドレスは ${facts.newAddress ?? ""} になりました。今後のメールはそちらに届きます。`,
      ],
      button: "心当たりがありません",
      rest: [
        `ご自身で変更した場合は、何もする必要はありません。そうでない場合は、リンクからアカウントを取り戻せます。リンクは一度だけ、${time(facts.ttlSeconds ?? 0)}以内に使えます。`,
      ],
    }),
    magic_link: (facts) => ({
      subject: `${facts.site} へのサインイン`,
      lead: [`${facts.to} としてサインインするためのリンクです。`],
      button: "サインイン",
      rest: [
        works(facts),
        `${ignore}リンクをほかの人に渡さないでください。開いた人があなたのアカウントに入れます。`,
      ],
    }),
    email_code: (facts) => ({
      subject: `${facts.site} のコード`,
      lead: [`${facts.to} としてサインインするには、申し込んだ画面に次のコードを入力してください。`],
      button: null,
      rest: [
        `コードは${time(facts.ttlSeconds ?? 0)}以内に使えます。`,
        `${ignore}コードを誰にも教えないでください。こちらからお尋ねすることはありません。`,
      ],
    }),
    invitation: (facts) => ({
      subject: `${facts.site} への招待`,
      lead: [`${facts.to} で ${facts.site} のアカウントを作成するよう招待されています。`],
      button: "招待を受ける",
      rest: [works(facts)],
    }),
    password_changed: (facts) => ({
      subject: `${facts.site} のパスワードが変更されました`,
      lead: [`アカウント（${facts.to}）のパスワードが変更され、ほかのすべてのセッションが終了しました。`],
      button: "心当たりがありません",
      rest: [
        "ご自身で変更した場合は、何もする必要はありません。そうでない場合は、すぐに新しいパスワードを設定してください。",
      ],
    }),
    new_device: (facts) => ({
      subject: `${facts.site} への新しいサインイン`,
      lead: [
        `これまでに見たことのないブラウザーで、アカウント（${facts.to}）へのサインインがありました。`,
        ...signIn(facts),
      ],
      button: "心当たりがありません",
      rest: [
        "ご自身の場合は、何もする必要はありません。そうでない場合は、リンクからそのセッションを終了し、新しいパスワードを設定してください。",
      ],
    }),
  },
};

function signIn({ signIn: found }: MailFacts): string[] {
  if (found === null) return [];
  const parts = [found.device ?? "不明な端末", found.ip === null ? null : `アドレス ${found.ip}`];
  return [`${instant(found.at, "ja")} · ${parts.filter((part) => part !== null).join(" · ")}`];
}
