export default {
  title: "Linhas",
  empty: { title: "Nenhuma linha ainda", text: "Conecte um número do WhatsApp para começar a conversar." },
};
