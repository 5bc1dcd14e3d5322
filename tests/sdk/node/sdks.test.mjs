// Every SDK in every case against every wire.

import { cases } from "./cases.mjs";
import { drivers } from "./drivers/ai-sdk.mjs";
import * as anthropic from "./drivers/anthropic.mjs";
import * as google from "./drivers/google.mjs";
import * as openaiChat from "./drivers/openai-chat.mjs";
import * as openaiResponses from "./drivers/openai-responses.mjs";

for (const driver of [openaiChat, openaiResponses, anthropic, google, ...drivers]) cases(driver);
