// sdk_parse.mjs EXCHANGE.jsonl - parses each recorded message by the schemas of the official SDK of its era, and says how many.
// A line: {modern: whether it is of 2026-07-28 or later, name: of its definition, message}.
import { readFileSync } from 'node:fs';
import * as legacy from '@modelcontextprotocol/sdk/types.js';
import { parseJSONRPCMessage, specTypeSchemas } from '@modelcontextprotocol/client';

// The SDKs have no schema for a result that asks back: its parts are held to those that they have.
function parsed(modern, name, value) {
    if (name === 'InputRequiredResult') {
        for (const asked of Object.values(value.inputRequests ?? {})) parsed(modern, 'ElicitRequest', asked);
        return parsed(modern, 'Result', value);
    }
    const schema = modern ? specTypeSchemas[name] : legacy[`${name}Schema`];
    if (!schema) throw new Error(`the SDK knows no ${name}`);
    if (!modern) return schema.parse(value);
    const told = schema['~standard'].validate(value);
    if (told.issues) throw new Error(JSON.stringify(told.issues));
    return told.value;
}

const lines = readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean);
let wrong = 0;
for (const line of lines) {
    const { modern, name, message } = JSON.parse(line);
    try {
        if (modern) parseJSONRPCMessage(message);
        else legacy.JSONRPCMessageSchema.parse(message);
        if (name === 'Error') continue;
        parsed(modern, name, name.endsWith('Result') ? message.result : message);
    } catch (error) {
        console.log(`${name}: ${error.message.slice(0, 1500)}\n${line.slice(0, 600)}`);
        ++wrong;
    }
}
console.log(`parsed ${lines.length}`);
process.exit(wrong ? 1 : 0);
