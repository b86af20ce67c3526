using System.Buffers.Binary;

namespace Piccolo.Tests.Tools.DevRelay.Fakes;

/// <summary>A captured ClientHello (OpenSSL, 517 bytes, server name app.example.test) and variants of it.</summary>
internal static class TestHellos
{
    private const string Captured =
        "1603010200010001fc0303fdf88639fcbccd2351411f0b9c920e01d9299d9812c6f505e838ab2e53e01a5820b594cce738b665dfc7e98c1a79a66f73" +
        "a17ac03c185503b4566f98434f33d7e60010130213031301c02cc030c02bc02f00ff010001a30000001500130000106170702e6578616d706c652e74" +
        "657374000b000403000102000a00160014001d0017001e0019001801000101010201030104002300000010000b000908687474702f312e3100160000" +
        "00170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602002b0005040304030300" +
        "2d00020101003300260024001d0020743b7938500304e66149e1573e48727ca6cc8538afc5d2b4d9d9011527efda3b001500e2";

    private const int PaddingZeros = 226;

    /// <summary>The server-name extension: type, length, list length, kind, name length, name.</summary>
    private static readonly byte[] NameExtension = [0, 0, 0, 0x15, 0, 0x13, 0, 0, 0x10, .. "app.example.test"u8];

    public static byte[] AppExampleTest { get; } = [.. Convert.FromHexString(Captured), .. new byte[PaddingZeros]];

    public static byte[] WithoutName => Replace([]);

    public static byte[] Named(string name)
    {
        var bytes = System.Text.Encoding.ASCII.GetBytes(name);
        return Replace([0, 0, .. Length(bytes.Length + 5), .. Length(bytes.Length + 3), 0, .. Length(bytes.Length), .. bytes]);
    }

    /// <summary>The named hello with a padding extension that brings the whole record to this size.</summary>
    public static byte[] Padded(string name, int size)
    {
        var plain = Named(name);
        var missing = size - plain.Length - 4;
        return Rebuild([.. plain[9..], 0xab, 0xcd, .. Length(missing), .. new byte[missing]]);
    }

    private static byte[] Replace(byte[] extension)
    {
        var at = AppExampleTest.AsSpan().IndexOf(NameExtension);
        return Rebuild([.. AppExampleTest[9..at], .. extension, .. AppExampleTest[(at + NameExtension.Length)..]]);
    }

    /// <summary>Corrects the lengths of record, message and extensions around a changed body; what exceeds one record goes into more.</summary>
    private static byte[] Rebuild(byte[] body)
    {
        var extensionsAt = 2 + 32 + 1 + body[34];
        extensionsAt += 2 + BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(extensionsAt));
        extensionsAt += 1 + body[extensionsAt];
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(extensionsAt), (ushort)(body.Length - extensionsAt - 2));
        byte[] message = [1, 0, .. Length(body.Length), .. body];
        return [.. message.Chunk(16_384).SelectMany(part => (byte[])[0x16, 3, 1, .. Length(part.Length), .. part])];
    }

    private static byte[] Length(int value) => [(byte)(value >> 8), (byte)value];
}
