// GRAO
