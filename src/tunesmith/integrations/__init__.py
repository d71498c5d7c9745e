"""Other libraries' doors to a study: one package each, which nothing else imports."""
