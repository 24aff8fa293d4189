import type { Server } from "node:http";
import type { WebSocketServer } from "ws";

export declare const server: Server;
export declare const wss: WebSocketServer;
