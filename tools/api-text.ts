import ts from "typescript";

/** A comment of the code as Markdown: what it says, then parameters, answer, errors and sources. */
export function docText(nodes: readonly (ts.JSDoc | ts.JSDocTag)[]): string {
  const comments = nodes.filter((node) => ts.isJSDoc(node));
  return comments.map(commentText).join("\n\n").trim();
}

function commentText(doc: ts.JSDoc): string {
  const tags = (doc.tags ?? []).flatMap((tag) => {
    const line = tagLine(tag);
    return line === null ? [] : [`- ${line}`];
  });
  return [prose(doc.comment), tags.join("\n")].filter((part) => part !== "").join("\n\n");
}

function tagLine(tag: ts.JSDocTag): string | null {
  const text = oneLine(prose(tag.comment));
  if (ts.isJSDocParameterTag(tag)) return `\`${tag.name.getText()}\`: ${text.replace(/^- /, "")}`;
  switch (tag.tagName.text) {
    case "returns":
      return `returns ${text}`;
    case "throws":
      return `throws ${oneLine(`${thrown(tag)} ${text}`)}`;
    case "see":
      return `see ${oneLine(`${seen(tag)} ${text}`)}`;
    case "deprecated":
      return `**deprecated** ${text}`;
    default:
      return null;
  }
}

/** The parser takes the first word for a type. */
function thrown(tag: ts.JSDocTag): string {
  return ts.isJSDocThrowsTag(tag) && tag.typeExpression !== undefined ? tag.typeExpression.getText() : "";
}

function seen(tag: ts.JSDocTag): string {
  return ts.isJSDocSeeTag(tag) && tag.name !== undefined ? tag.name.getText() : "";
}

function prose(comment: string | ts.NodeArray<ts.JSDocComment> | undefined): string {
  if (comment === undefined) return "";
  if (typeof comment === "string") return comment.trim();
  return comment.map(piece).join("").trim();
}

function piece(part: ts.JSDocComment): string {
  if (part.kind === ts.SyntaxKind.JSDocText) return part.text;
  const name = part.name?.getText() ?? "";
  return `\`${name}\`${part.text.trim() === "" ? "" : ` ${part.text.trim()}`}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
