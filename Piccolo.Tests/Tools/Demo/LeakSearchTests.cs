using System.Security.Cryptography;
using System.Text;
using Piccolo.Demo.Prove;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Tools.Demo;

/// <summary>The search of <c>./dev prove leaks</c>: one that finds nothing must be able to find.</summary>
/// <remarks>Not beside others: the memory that is searched is that of the whole process.</remarks>
[NonParallelizable]
internal sealed class LeakSearchTests
{
    [Test]
    public void Search_FileWithTheSecretAcrossTwoChunks_FindsEveryForm()
    {
        using var folder = new TempFolder();
        var canary = Canary.OfText("secret", "canary-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
        var file = folder.File("disk");
        for (var form = 0; form < canary.Forms.Length; form++)
        {
            using (var stream = File.Create(file))
            {
                stream.Position = (1 << 22) - 5;
                stream.Write(canary.Forms[form]);
                stream.Position = (1 << 23) + 1;
                stream.WriteByte(0);
            }
            Assert.That(Places.SearchFile(file, [canary]), Is.EqualTo(new[] { new Leak(file, "secret", form) }));
        }
        File.WriteAllText(file, "nothing");
        Assert.That(Places.SearchFile(file, [canary]), Is.Empty);
    }

    [Test]
    public void Search_OwnMemory_SeesAStringAndAKeyInEitherByteOrder()
    {
        var text = "canary-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var key = RandomNumberGenerator.GetBytes(32);
        var held = (Text: new StringBuilder(text).ToString(), Key: key.Reverse().ToArray());

        var leaks = Places.SearchMemory(Environment.ProcessId, [Canary.OfText("text", text), Canary.OfKey("key", key)]);

        Assert.That(leaks.Select(l => l.Canary).Distinct(), Is.EquivalentTo(new[] { "text", "key" }));
        GC.KeepAlive(held);
    }
}
