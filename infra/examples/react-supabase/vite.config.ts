import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  optimizeDeps: { include: ["perene"] }, // a folder of this clone; an installed package doesn't need this line
});
