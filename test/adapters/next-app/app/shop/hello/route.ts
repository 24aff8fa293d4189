export { GET } from "../../hello/route.ts";
