"""Play a station's side of a recorded conversation against any central system, and compare the answers.

Never imports the product, and knows no status: a frame goes out as it is in the file. Before it: the product's
`station log`, or any list of frames. Beside it: `fleet`, whose stations live by themselves.

    lines         reads a file: the log as JSON or as text, a corpus, a plain list; pure
    script        what the station says, waits for and answers, per connection; pure
    answers       what a station answers that its log does not say; how two answers differ; pure
    report        what came of it
    player        one connection after the other
    command       parses
"""
