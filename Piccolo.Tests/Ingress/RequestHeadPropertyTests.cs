using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Piccolo.Api.Ingress.Forwarding;
using Piccolo.Api.Ingress.Forwarding.Direct;

namespace Piccolo.Tests.Ingress;

/// <summary>Whatever fields a client sends: the head that an app gets reads as exactly the fields that were meant, or none is written.</summary>
internal sealed class RequestHeadPropertyTests
{
    private const string Alphabet = "abXY-_0:; \t,\r\n\0\u0001\u007f\u0085\u00e9\"(){}=/";

    private static readonly string[] Names = ["Accept", "X-A", "content-length ", "Content-Length", "Transfer-Encoding", "Host", "TE", "Connection", "Expect", "Cookie", "forwarded:for=6.6.6.6,", "X-Real-IP", ":path", ""];

    [Test]
    public void Head_OfAnyFields_ReadsAsTheFieldsThatWereMeant([Values(1, 2, 3, 4)] int seed)
    {
        var random = new Random(seed);
        var (written, refused) = (0, 0);
        for (var round = 0; round < 5_000; round++)
        {
            var headers = new HeaderDictionary();
            for (var i = random.Next(6); i > 0; i--) headers[Text(random, Names)] = new StringValues([.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => Text(random, ["x", "trailers", "", "100-continue", "5"]))]);
            var plan = random.Next(4) switch
            {
                0 => new ForwardPlan("GET", "/a", RequestFraming.None, 0),
                1 => new ForwardPlan(Text(random, ["POST", "PUT"]), "/a", RequestFraming.Length, random.Next(1000)),
                2 => new ForwardPlan("POST", "/a", RequestFraming.Chunked, 0),
                _ => new ForwardPlan("GET", "/a", RequestFraming.WebSocket, 0),
            };
            var bytes = new byte[16 * 1024];
            if (RequestHeadWriter.Write(bytes, plan, random.Next(2) == 0, headers, new ForwardedFields(null, "web.home.test", "https"), out var length) != WriteVerdict.Written)
            {
                refused++;
                continue;
            }
            written++;
            var fields = Read(Encoding.Latin1.GetString(bytes, 0, length), plan);
            var meant = headers.SelectMany(h => h.Value.Select(v => (Name: h.Key, Value: (v ?? "").Trim(' ', '\t')))).ToHashSet();
            foreach (var (name, value) in fields)
                Assert.That(meant.Contains((name, value)) || IsOurs(name, value, plan), Is.True, $"{name}: {value}");
            foreach (var one in new[] { "Host", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded" })
                Assert.That(fields.Count(f => f.Name.Equals(one, StringComparison.OrdinalIgnoreCase)), Is.EqualTo(1), one);
            Assert.That(fields.Count(f => f.Name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)), Is.EqualTo(plan.Framing == RequestFraming.Length ? 1 : 0));
            Assert.That(fields.Count(f => f.Name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)), Is.EqualTo(plan.Framing == RequestFraming.Chunked ? 1 : 0));
        }
        Assert.That(written, Is.GreaterThan(300));
        Assert.That(refused, Is.GreaterThan(300));
    }

    private static string Text(Random random, string[] usual) =>
        random.Next(3) > 0 ? usual[random.Next(usual.Length)] : string.Concat(Enumerable.Range(0, random.Next(1, 8)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));

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
}
