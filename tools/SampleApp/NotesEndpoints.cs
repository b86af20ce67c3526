using Npgsql;

namespace Piccolo.SampleApp;

/// <summary>Notes in a PostgreSQL that another service of the app runs, where the environment names one.</summary>
internal static class NotesEndpoints
{
    private const int MaxLength = 1024;

    public static void MapNotes(this IEndpointRouteBuilder app)
    {
        if (Environment.GetEnvironmentVariable("NOTES_DB_HOST") is not { Length: > 0 } host) return;
        var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder
        {
            Host = host,
            Username = "postgres",
            Password = Environment.GetEnvironmentVariable("NOTES_DB_PASSWORD"),
            Database = "postgres",
            Timeout = 5,
        });
        app.MapPost("/notes", (Delegate)(async (HttpContext context) => await AnswerAsync(async () =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var text = await reader.ReadToEndAsync(context.RequestAborted);
            if (text.Length is 0 or > MaxLength) return Results.BadRequest();
            await using (var create = source.CreateCommand("CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text NOT NULL)"))
                await create.ExecuteNonQueryAsync(context.RequestAborted);
            await using var command = source.CreateCommand("INSERT INTO notes (text) VALUES ($1) RETURNING id");
            command.Parameters.Add(new NpgsqlParameter { Value = text });
            return Results.Text($"{await command.ExecuteScalarAsync(context.RequestAborted)}\n");
        })));
        app.MapGet("/notes", async (CancellationToken cancellationToken) => await AnswerAsync(async () =>
        {
            await using var command = source.CreateCommand("SELECT text FROM notes ORDER BY id");
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            var notes = new List<string>();
            while (await rows.ReadAsync(cancellationToken)) notes.Add(rows.GetString(0));
            return Results.Json(notes);
        }));
    }

    /// <summary>Whoever looks for a fault reads the database's own words.</summary>
    private static async Task<IResult> AnswerAsync(Func<Task<IResult>> answer)
    {
        try
        {
            return await answer();
        }
        catch (Exception e) when (e is NpgsqlException or System.Net.Sockets.SocketException)
        {
            return Results.Text($"{e.Message} {e.InnerException?.Message}\n", statusCode: StatusCodes.Status502BadGateway);
        }
    }
}
