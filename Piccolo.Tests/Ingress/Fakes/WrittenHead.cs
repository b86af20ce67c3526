using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Piccolo.Api.Ingress.Forwarding;
using Piccolo.Api.Ingress.Forwarding.Direct;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>A request as a client may send it, and the head that an app gets.</summary>
/// <param name="Head">Null when it was refused.</param>
internal sealed record WrittenHead(ForwardPlan Plan, IHeaderDictionary Sent, byte[]? Head)
{
    private const string Alphabet = "abXY-_0:; \t,\r\n\0\u0001\u007f\u0085\u00e9\"(){}=/";
    private const string TargetAlphabet = "/ab?&=%41;:@!$'()*+,~-._[]|^\"<>{}`\\";

    private static readonly string[] Names = ["Accept", "X-A", "content-length ", "Content-Length", "Transfer-Encoding", "Host", "TE", "Connection", "Expect",
        "Cookie", "forwarded:for=6.6.6.6,", "X-Real-IP", ":path", ""];

    /// <summary>Fields, methods and targets of many spellings, right and wrong.</summary>
    public static IEnumerable<WrittenHead> Any(int seed, int count)
    {
        var random = new Random(seed);
        for (var round = 0; round < count; round++)
        {
            var sent = new HeaderDictionary();
            for (var i = random.Next(6); i > 0; i--) sent[Text(random, Names)] =
                new StringValues([.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => Text(random, ["x", "trailers", "", "100-continue", "5"]))]);
            var target = "/" + string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => TargetAlphabet[random.Next(TargetAlphabet.Length)]));
            var plan = random.Next(4) switch
            {
                0 => new ForwardPlan("GET", target, RequestFraming.None, 0),
                1 => new ForwardPlan(Text(random, ["POST", "PUT"]), target, RequestFraming.Length, random.Next(1000)),
                2 => new ForwardPlan("POST", target, RequestFraming.Chunked, 0),
                _ => new ForwardPlan("GET", target, RequestFraming.WebSocket, 0),
            };
            var bytes = new byte[16 * 1024];
            var verdict = RequestHeadWriter.Write(bytes, plan, random.Next(2) == 0, sent, new ForwardedFields(null, "web.home.test", "https"), out var length);
            yield return new WrittenHead(plan, sent, verdict == WriteVerdict.Written ? bytes[..length] : null);
        }
    }

    private static string Text(Random random, string[] usual) =>
        random.Next(3) > 0 ? usual[random.Next(usual.Length)]
        : string.Concat(Enumerable.Range(0, random.Next(1, 8)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));
}
