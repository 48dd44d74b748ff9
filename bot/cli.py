"""The command `frontdesk`. Heavy imports happen in the command that needs them, not for --help."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot import settings as configuration
from bot.commands.loading import command, one_numeric_thread, quieten_imports, return_large_memory
from bot.core.errors import FrontdeskError

app = typer.Typer(
    no_args_is_help=True,
    help="A customer-service chatbot for shops.",
    pretty_exceptions_enable=False,
)
agents = typer.Typer(no_args_is_help=True, help="The humans who answer customers.")
app.add_typer(agents, name="agent")
dead_letters = typer.Typer(no_args_is_help=True, help="Messages that failed for good.")
app.add_typer(dead_letters, name="dead-letters")
benchmarks = typer.Typer(no_args_is_help=True, help="Measurements on this machine.")
app.add_typer(benchmarks, name="benchmark")
models = typer.Typer(help="The trained models: which is in use, and going back.")
app.add_typer(models, name="models")

Database = Annotated[
    str | None,
    typer.Option("--database-url", help="sqlite:///… or postgresql://… (FRONTDESK_DATABASE_URL)"),
]


@app.command()
def serve(
    database_url: Database = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (FRONTDESK_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (FRONTDESK_PORT)")] = None,
    public_url: Annotated[
        str | None, typer.Option(help="How platforms reach this server (FRONTDESK_PUBLIC_URL)")
    ] = None,
    secret_key: Annotated[
        str | None, typer.Option(help="Signs tokens; better as FRONTDESK_SECRET_KEY")
    ] = None,
    credentials: Annotated[
        Path | None, typer.Option(help="The channels' file (FRONTDESK_CREDENTIALS)")
    ] = None,
    endpoints: Annotated[
        Path | None, typer.Option(help="The systems' file (FRONTDESK_ENDPOINTS)")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Use this model as it is (FRONTDESK_MODEL)")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes on this port; PostgreSQL only (FRONTDESK_WORKERS)")
    ] = None,
) -> None:
    """Runs everything: webhooks, bot, web chat and desk, in one process or in several."""
    settings = configuration.load(
        database_url=database_url,
        host=host,
        port=port,
        public_url=public_url,
        secret_key=secret_key,
        credentials=credentials,
        endpoints=endpoints,
        model=model,
        workers=workers,
    )
    one_numeric_thread()
    return_large_memory()
    command("serve" if settings.workers == 1 else "supervise").run(settings)


@app.command()
def train(
    force: Annotated[bool, typer.Option(help="Train although nothing changed")] = False,
    register: Annotated[bool, typer.Option(help="Add it to `frontdesk models`")] = True,
    note: Annotated[str, typer.Option(help="What is new in it, for `frontdesk models`")] = "",
    database_url: Database = None,
) -> None:
    """Trains the model from data/, domain.yml and config.yml, when they changed."""
    settings = configuration.load(database_url=database_url)
    command("train").run(settings, force=force, register=register, note=note)


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, database_url: Database = None) -> None:
    """Lists the trained models: which is active, and where each runs."""
    if context.invoked_subcommand is None:
        command("models").show(configuration.load(database_url=database_url))
    elif database_url is not None:
        raise typer.BadParameter("write --database-url after the command")


@models.command("activate")
def activate_model(
    target: Annotated[str, typer.Argument(metavar="VERSION|FILE", help="As `frontdesk models`")],
    note: Annotated[str, typer.Option(help="What is new in it, where it is a file")] = "",
    database_url: Database = None,
) -> None:
    """Tries a model, and makes all replicas change to it while they run."""
    settings = configuration.load(database_url=database_url)
    command("models").activate(settings, target, note)


@models.command("rollback")
def rollback_model(database_url: Database = None) -> None:
    """Goes back to the model that was active before."""
    command("models").rollback(configuration.load(database_url=database_url))


@app.command()
def talk(
    details: Annotated[
        bool, typer.Option("--details", help="Show intent, confidence, entities and actions")
    ] = False,
) -> None:
    """A chat in the terminal, on the shop's data; nothing is stored."""
    command("talk").run(configuration.load(), details=details)


@app.command()
def actions(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 5055,
) -> None:
    """Runs the custom actions as a server of their own, for rasa shell or in_process: false."""
    command("actions").run(configuration.load(), host, port)


@app.command()
def seed() -> None:
    """Fills the demo shop's database; running it again brings it back to the start."""
    command("seed").run(configuration.load())


@app.command()
def doctor(database_url: Database = None) -> None:
    """Checks configuration, credentials, database, model and encoder, and says how to mend them."""
    healthy: bool = command("doctor").run(database_url)
    raise typer.Exit(0 if healthy else 1)


@app.command()
def threshold(
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="What another cost would do: caution=1.5; may be repeated"),
    ] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="Messages that training never saw, with intents")
    ] = None,
    out_of_scope: Annotated[
        Path | None, typer.Option(help="Messages that the bot should not answer")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The picture: .svg or .png")] = None,
    database_url: Database = None,
) -> None:
    """Shows wrong answers against handoffs, and what other costs in config.yml would do."""
    settings = configuration.load(database_url=database_url)
    command("threshold").run(settings, change or [], held_out, out_of_scope, out)


@agents.command("add")
def agent_add(
    email: Annotated[str, typer.Argument(help="The address to log in with")],
    name: Annotated[str, typer.Option(help="The name that customers see")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    admin: Annotated[bool, typer.Option(help="May also act in chats of others")] = False,
    token: Annotated[bool, typer.Option(help="Also issue an API token, shown once")] = False,
    database_url: Database = None,
) -> None:
    """Adds an agent who can log in to the desk."""
    settings = configuration.load(database_url=database_url)
    command("agents").add(settings, email, name, password, admin=admin, token=token)


@dead_letters.command("list")
def dead_letters_list(
    channel: Annotated[str | None, typer.Option(help="Only those of this channel")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
    database_url: Database = None,
) -> None:
    """Lists what could not be sent and what the bot failed on, oldest first, without its text."""
    settings = configuration.load(database_url=database_url)
    command("dead_letters").show_list(settings, channel, limit, as_json=as_json)


@dead_letters.command("show")
def dead_letters_show(
    message: Annotated[str, typer.Argument(help="The id that the list shows")],
    database_url: Database = None,
) -> None:
    """Says of one of them what happened and what to do."""
    settings = configuration.load(database_url=database_url)
    command("dead_letters").show(settings, message)


@dead_letters.command("replay")
def dead_letters_replay(
    messages: Annotated[list[str] | None, typer.Argument(help="Ids that the list shows")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All there are")] = False,
    channel: Annotated[str | None, typer.Option(help="With --all: of this channel")] = None,
    database_url: Database = None,
) -> None:
    """Sends them again, or gives them to the bot again. Exit code 1 when one was left alone."""
    settings = configuration.load(database_url=database_url)
    letters = command("dead_letters")
    if not letters.replay(settings, messages or [], channel, everything=everything):
        raise typer.Exit(1)


@app.command()
def evaluate(
    folds: Annotated[int, typer.Option(min=2, help="Parts of cross-validation")] = 5,
    held_out: Annotated[
        Path | None, typer.Option(help="Messages never trained on (tests/nlu/held_out)")
    ] = None,
    out_of_scope: Annotated[
        Path | None, typer.Option(help="Messages in no intent (tests/nlu/out_of_scope.yml)")
    ] = None,
    out: Annotated[Path, typer.Option(help="The report's folder")] = Path("results/evaluation"),
) -> None:
    """How well the assistant understands, what is worth mending, and a report with pictures."""
    command("evaluate").run(configuration.load(), folds, held_out, out_of_scope, out)


@benchmarks.command("nlu")
def benchmark_nlu(
    train_file: Annotated[
        Path, typer.Option("--train", help="CSV to learn from: text,intent or text,category")
    ],
    test_file: Annotated[Path, typer.Option("--test", help="CSV to be asked, of the same form")],
    out_of_scope: Annotated[
        Path | None, typer.Option("--oos", help="CSV of messages in no intent; column text")
    ] = None,
    few: Annotated[
        int | None, typer.Option(min=1, help="Learn from so many examples of each intent")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="With --few: over so many choices")] = 1,
    versus: Annotated[
        list[str] | None,
        typer.Option("--vs", help="Also rasa-default, rasa-sparse or a config.yml; repeatable"),
    ] = None,
    epochs: Annotated[
        int, typer.Option("--vs-epochs", min=1, help="Epochs of DIET in rasa-default")
    ] = 100,
    config: Annotated[
        Path | None, typer.Option(help="Another config.yml than the project's")
    ] = None,
    out: Annotated[Path | None, typer.Option("--json", help="Write all figures here")] = None,
) -> None:
    """How right, sure, fast and large the pipeline is on labelled messages, beside others."""
    benchmark = command("benchmark")
    benchmark.nlu(
        benchmark.Files(train_file, test_file, out_of_scope),
        benchmark.Plan(few, seeds),
        config or configuration.load().project_dir / "config.yml",
        versus or [],
        epochs,
        out,
    )


@benchmarks.command("turns")
def benchmark_turns(
    database_url: Annotated[
        str | None,
        typer.Option("--database-url", help="An empty database; SQLite of its own without it"),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; PostgreSQL only")] = 1,
    concurrent: Annotated[
        str, typer.Option(help="Levels of load: so many customers at once")
    ] = "1,20,200",
    messages: Annotated[
        int, typer.Option(min=1, help="At each level, at least; conversations have five")
    ] = 500,
    versus: Annotated[
        str | None, typer.Option("--vs", help="Also stock-rasa: the same assistant on plain Rasa")
    ] = None,
    epochs: Annotated[
        int, typer.Option("--stock-epochs", min=1, help="Epochs of DIET and TED in stock-rasa")
    ] = 5,
    out: Annotated[Path | None, typer.Option("--json", help="Write all figures here")] = None,
) -> None:
    """How many messages a server answers, how soon, and what they cost: a real one, under load."""
    turns = command("benchmark_turns")
    plan = turns.Plan(turns.levels(concurrent), messages)
    turns.run(configuration.load(), database_url or "", workers, plan, versus, epochs, out)


def main() -> None:
    """Runs the command line; expected failures are one clear line, not a stack."""
    sys.path.insert(0, str(Path.cwd()))
    quieten_imports()
    try:
        app()
    except FrontdeskError as error:
        typer.secho(f"frontdesk: {error}", fg=typer.colors.RED, err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
