export default {
  title: "Lines",
  empty: { title: "No lines yet", text: "Connect a WhatsApp number to start talking." },
};
