using System.Text.Json.Nodes;
using Piccolo.Rig;
using Piccolo.Rig.Podman;
using Piccolo.Rig.Stack;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Scenarios;

/// <summary>A box with three apps is exported, and a fresh one takes its place: same apps, names and certificates, and no new order at the CA.</summary>
[Category("Scenario"), Category("Sealed"), Category("NeedsPodman"), Category("NeedsPebble")]
internal sealed class MoveToANewBoxTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Uri Notes = new("https://notes.home.test/notes");

    [Test]
    public async Task Export_ImportedOnAnEmptyStateDirectory_ServesWithZeroNewOrders()
    {
        using var folder = new TempFolder();
        await using var stack = await DemoStack.StartAsync(folder.File("demo"), DemoBreak.None, new Timeline(TextWriter.Null));
        await OwnAsync(stack);
        var names = new[] { "one", "two", "three" };
        foreach (var name in names)
            await stack.Api.InstallAsync($"name: {name}\nimage: {DemoStack.Image}\nlisteners:\n  - name: {name}\n    guest_port: 8080\n    protocol: http\n");
        foreach (var name in names) await AnswersAsync(stack, name);
        var export = await ExportAsync(stack.Api, folder.File("export"));
        await stack.Appliance.DisposeAsync();
        var orders = await OrdersAsync(stack);

        await using var fresh = await stack.StartAnotherAsync(folder.File("fresh"));
        var imported = await ImportAsync(fresh.Api, export);
        await fresh.Api.UnlockAsync(DemoEndpoints.Password);
        await fresh.Api.TakeTokenAsync("fresh");
        foreach (var name in names) await AnswersAsync(stack, name);

        Assert.That((string?)imported["warning"], Does.Contain("two live appliances"));
        Assert.That((await fresh.Api.GetAsync("/api/v1/remote/certificates"))["certificates"]!.AsArray().Select(c => (string?)c!["status"]),
            Is.All.EqualTo("ok"));
        Assert.That(await OrdersAsync(stack), Is.EqualTo(orders), "orders counted at Pebble");
        Assert.That(orders, Is.EqualTo(4), "three apps and the portal");
    }

    /// <summary>A database's rows: written through the app's public name on one box, read through the same name from the other.</summary>
    [Test]
    public async Task Export_OfAnAppWithADatabase_BringsItsRowsToTheNewBox()
    {
        using var folder = new TempFolder();
        await using var stack = await DemoStack.StartAsync(folder.File("demo"), DemoBreak.None, new Timeline(TextWriter.Null));
        await OwnAsync(stack);
        await PostgresImage.ImportAsync(stack.Engine);
        await stack.Api.InstallAsync(Manifests.Notes(DemoStack.Image, PostgresImage.Name));
        var canary = $"canary-{Guid.NewGuid():N}";
        var rows = Enumerable.Range(1, 5).Select(n => $"{canary} {n}").ToList();
        foreach (var row in rows) await WriteNoteAsync(stack, row);

        var export = await ExportAsync(stack.Api, folder.File("export"));
        var listed = (await stack.Api.GetAsync("/api/v1/exports"))["exports"]!.AsArray().Single()!;
        Assert.That(listed["volumes"]!.ToJsonString(), Is.EqualTo("""[{"app":"notes","name":"db","kind":"data"}]"""));
        Assert.That(await NotesAsync(stack), Is.EqualTo(rows), "the app goes on after the export");
        await WriteNoteAsync(stack, "after the export");
        await stack.Appliance.DisposeAsync();
        Assert.That((await File.ReadAllBytesAsync(export)).AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(canary)), Is.Negative);

        await using var fresh = await stack.StartAnotherAsync(folder.File("fresh"));
        var imported = await ImportAsync(fresh.Api, export);
        Assert.That((int?)imported["volumes"], Is.EqualTo(1));
        await fresh.Api.UnlockAsync(DemoEndpoints.Password);
        await fresh.Api.TakeTokenAsync("fresh");

        Assert.That(await NotesAsync(stack), Is.EqualTo(rows), "the rows of the moment of the export");
        await WriteNoteAsync(stack, "on the new box");
        Assert.That(await NotesAsync(stack), Is.EqualTo(rows.Append("on the new box")));
    }

    private static Task<string> WriteNoteAsync(DemoStack stack, string text) => NotesAsync(stack, async (client, cancellationToken) =>
    {
        using var response = await client.PostAsync(Notes, new StringContent(text), cancellationToken);
        return response.IsSuccessStatusCode ? text : null;
    });

    private static async Task<List<string>> NotesAsync(DemoStack stack) => await NotesAsync(stack, async (client, cancellationToken) =>
    {
        using var response = await client.GetAsync(Notes, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode ? JsonNode.Parse(text)!.AsArray().Select(n => (string)n!).ToList() : null;
    });

    // A new database makes its cluster first.
    private static Task<T> NotesAsync<T>(DemoStack stack, Func<HttpClient, CancellationToken, Task<T?>> ask) where T : class =>
        new Observer(TimeProvider.System).UntilAsync(4 * Patience, async cancellationToken =>
        {
            using var stranger = stack.Internet.NewClient();
            return await ask(stranger, cancellationToken);
        }, () => Task.FromResult("the notes do not answer"));

    private static async Task OwnAsync(DemoStack stack)
    {
        await stack.Api.SetUpAsync(DemoEndpoints.Password);
        await stack.Api.UnlockAsync(DemoEndpoints.Password);
        await stack.Api.TakeTokenAsync("move");
        await stack.Api.PostAsync("/api/v1/remote/configure", new
        {
            endpoint = stack.RelayHub.ToString(),
            device_secret = stack.DeviceSecret,
            tld = DemoEndpoints.Domain,
            portal_hostname = DemoEndpoints.PortalHost,
        });
    }

    private static async Task AnswersAsync(DemoStack stack, string name) =>
        await new Observer(TimeProvider.System).UntilAsync(Patience, async cancellationToken =>
    {
        using var stranger = stack.Internet.NewClient();
        using var response = await stranger.GetAsync(new Uri($"https://{name}.home.test/healthz"), cancellationToken);
        return response.IsSuccessStatusCode ? name : null;
    }, () => Task.FromResult($"{name} does not answer"));

    private static async Task<string> ExportAsync(ApplianceClient api, string path)
    {
        var job = await api.PostAsync("/api/v1/exports/full");
        job = await new Observer(TimeProvider.System).UntilAsync(Patience, async _ =>
        {
            var now = await api.GetAsync($"/api/v1/jobs/{job["id"]}");
            return (string?)now["state"] is "running" or "queued" ? null : now;
        }, () => Task.FromResult("the export does not end"));
        Assert.That((string?)job["state"], Is.EqualTo("succeeded"), job.ToJsonString());
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/exports/{job["result"]}/download");
        using var response = await api.SendRawAsync(request);
        await File.WriteAllBytesAsync(path, await response.Content.ReadAsByteArrayAsync());
        return path;
    }

    private static async Task<JsonNode> ImportAsync(ApplianceClient api, string path)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(DemoEndpoints.Password), "password" },
            { new ByteArrayContent(await File.ReadAllBytesAsync(path)), "file", "export.piccolo" },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/exports/import") { Content = form };
        using var response = await api.SendRawAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(200), text);
        return JsonNode.Parse(text)!;
    }

    // Pebble's log has one such line for each order that is placed.
    private static async Task<int> OrdersAsync(DemoStack stack) =>
        (await File.ReadAllLinesAsync(stack.Ca.LogFile)).Count(l => l.Contains("POST /order-plz", StringComparison.Ordinal));
}
