export { DELETE, GET, POST } from "../../../../api/v1/[...latchkey]/route.ts";
