using System.Text;
using Piccolo.Tests.Ingress.Fakes;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Forwarding;

/// <summary>An app whose bytes a test writes itself, and clients with content.</summary>
internal abstract class UploadFixture : RawAppFixture
{
    protected static readonly string[] Methods = ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "MKCOL"];

    protected static Task<string> ReadHeadAsync(Stream stream) => ReadUntilAsync(stream, "\r\n\r\n");

    protected static async Task<string> ReadUntilAsync(Stream stream, string end)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().Contains(end, StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer).AsTask().WaitAsync(Patience);
            if (read == 0) break;
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        return text.ToString();
    }
}
