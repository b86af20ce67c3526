using System.Text;
using System.Text.Json;
using Piccolo.Api.Ingress.Forwarding;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Interop;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>Whatever fields a client sends: the head that an app gets reads as exactly the fields that were meant, or none is written.</summary>
internal sealed class RequestHeadPropertyTests
{
    /// <summary>What Node takes for methods are those that it knows.</summary>
    private static readonly string[] KnownMethods = ["GET", "POST", "PUT"];

    [Test]
    public void Head_OfAnyFields_ReadsAsTheFieldsThatWereMeant([Values(1, 2, 3, 4)] int seed)
    {
        var all = WrittenHead.Any(seed, 5_000).ToList();
        foreach (var (plan, sent, head) in all)
        {
            if (head is null) continue;
            var fields = Read(Encoding.Latin1.GetString(head), plan);
            var meant = sent.SelectMany(h => h.Value.Select(v => (Name: h.Key, Value: (v ?? "").Trim(' ', '\t')))).ToHashSet();
            foreach (var (name, value) in fields)
                Assert.That(meant.Contains((name, value)) || IsOurs(name, value, plan), Is.True, $"{name}: {value}");
            foreach (var one in new[] { "Host", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded" })
                Assert.That(fields.Count(f => f.Name.Equals(one, StringComparison.OrdinalIgnoreCase)), Is.EqualTo(1), one);
            Assert.That(fields.Count(f => f.Name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)),
                Is.EqualTo(plan.Framing == RequestFraming.Length ? 1 : 0));
            Assert.That(fields.Count(f => f.Name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)),
                Is.EqualTo(plan.Framing == RequestFraming.Chunked ? 1 : 0));
        }
        var written = all.Count(h => h.Head is not null);
        Assert.That(written, Is.GreaterThan(300));
        Assert.That(all.Count - written, Is.GreaterThan(300));
    }

    /// <summary>The parsers behind most apps: http.server's and email's of Python, llhttp in Node.</summary>
    [TestCase("python3", "heads.py")]
    [TestCase("node", "heads.js")]
    [Category("NeedsProcess")]
    public async Task Head_OfAnyFields_ReadsTheSameToOthers(string program, string script)
    {
        var heads = Enumerable.Range(1, 4).SelectMany(seed => WrittenHead.Any(seed, 5_000))
            .Where(h => h.Head is not null && KnownMethods.Contains(h.Plan.Method)).ToList();
        Assert.That(heads, Has.Count.GreaterThan(1_000));

        var run = await ToolRun.OfAsync(program, [Path.Combine(AppContext.BaseDirectory, "TestData", "parsers", script)],
            string.Concat(heads.Select(h => Convert.ToBase64String(h.Head!) + "\n")));

        var answers = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That((run.ExitCode, answers.Length), Is.EqualTo((0, heads.Count)), answers.LastOrDefault());
        foreach (var (head, answer) in heads.Zip(answers))
        {
            var text = Encoding.Latin1.GetString(head.Head!);
            var read = JsonSerializer.Deserialize<ReadHead>(answer, JsonSerializerOptions.Web)!;
            Assert.That((read.Error, read.Method, read.Target, read.Left), Is.EqualTo(((string?)null, head.Plan.Method, head.Plan.Target, 0)), text);
            Assert.That(read.Fields.Select(f => (f[0], f[1])), Is.EqualTo(Read(text, head.Plan)), text);
        }
    }

    private static bool IsOurs(string name, string value, ForwardPlan plan) => (name, value) switch
    {
        ("Host" or "X-Forwarded-Host", "web.home.test") or ("X-Forwarded-Proto", "https") or ("Forwarded", "host=\"web.home.test\";proto=https") => true,
        ("Content-Length", _) => plan.Framing == RequestFraming.Length && value == plan.Length.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ("Transfer-Encoding", "chunked") => plan.Framing == RequestFraming.Chunked,
        ("Connection", "TE") or ("TE", "trailers") => true,
        ("Connection", "Upgrade") or ("Upgrade", "websocket") => plan.Framing == RequestFraming.WebSocket,
        // Several values of a cookie field are one.
        ("Cookie", _) => true,
        _ => false,
    };

    /// <summary>A reader that lets nothing through that RFC 9112 does not (2.1, 3, 5).</summary>
    private static List<(string Name, string Value)> Read(string head, ForwardPlan plan)
    {
        Assert.That(head, Does.EndWith("\r\n\r\n"));
        var lines = head[..^4].Split("\r\n");
        Assert.That(lines[0], Is.EqualTo($"{plan.Method} {plan.Target} HTTP/1.1"));
        Assert.That(plan.Method.All(IsTokenChar), Is.True);
        var fields = new List<(string, string)>();
        foreach (var line in lines[1..])
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            Assert.That(colon, Is.GreaterThan(0), line);
            Assert.That(line[..colon].All(IsTokenChar), Is.True, line);
            var value = line[(colon + 1)..].Trim(' ', '\t');
            Assert.That(value.All(c => c is '\t' or (>= ' ' and not '\u007f')), Is.True, line);
            fields.Add((line[..colon], value));
        }
        return fields;
    }

    private static bool IsTokenChar(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);

    /// <summary>What a script of <c>TestData/parsers</c> says of a head.</summary>
    /// <param name="Left">Bytes of the head that it did not read.</param>
    private sealed record ReadHead(string? Error, string Method, string Target, string[][] Fields, int Left);
}
