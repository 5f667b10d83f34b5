export default {
  title: "Conversas",
  empty: { title: "Nenhuma conversa ainda", text: "As mensagens de todas as linhas aparecem aqui, as mais novas primeiro." },
};
