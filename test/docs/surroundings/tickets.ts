import type { Server } from "node:http";
import type { Principal } from "latchkey";
import type { WebSocket, WebSocketServer } from "ws";

export declare const server: Server;
export declare const wss: WebSocketServer;
export declare const greet: (socket: WebSocket, principal: Principal) => void;
export declare const csrfToken: string;
