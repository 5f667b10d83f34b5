export default {
  title: "Conversations",
  empty: { title: "No conversations yet", text: "Messages of all lines show here, newest first." },
};
