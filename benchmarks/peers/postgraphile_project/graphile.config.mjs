// The settings that the documentation recommends for production, and none that cost time without need.
import "postgraphile";
import { defaultMaskError } from "postgraphile/grafserv";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

export default {
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString: process.env.DATABASE_URL,
      schemas: ["app"],
      // One connection for each client. Without an idle timeout they stay open.
      poolConfig: { max: Number(process.env.POOL_SIZE), idleTimeoutMillis: 0 },
    }),
  ],
  grafast: { explain: false },
  grafserv: {
    graphiql: false,
    watch: false,
    websockets: false,
    outputDataAsString: true,
    // The function's own refusals are meant for the client; everything else stays hidden, and is logged.
    maskError: (error) => (/^[A-Z_]+$/.test(error.message) ? error : defaultMaskError(error)),
  },
};
