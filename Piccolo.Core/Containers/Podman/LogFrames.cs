using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Piccolo.Core.Containers.Podman;

/// <summary>
/// Reads the engine's log stream: frames of eight bytes (which output, length) and content, which begins with the time. Holds at most one unfinished line of
/// each output, whatever the app prints. Pure.
/// </summary>
internal sealed class LogFrames
{
    /// <summary>In bytes; the rest of a longer line is dropped.</summary>
    public const int MaxLine = 16 * 1024;
    private const int HeaderLength = 8;

    /// <summary>2006-01-02T15:04:05.999999999+07:00</summary>
    private const int MaxTime = 40;

    private readonly byte[] _header = new byte[HeaderLength];
    private readonly byte[] _time = new byte[MaxTime];
    private readonly Line _output = new(false);
    private readonly Line _errors = new(true);
    private int _headerLength;
    private int _timeLength;
    private bool _isTime;
    private uint _left;
    private Line _line;
    private DateTimeOffset _at;

    public LogFrames() => _line = _output;

    /// <summary>Takes what was read, in pieces of any size, and adds the lines that it completes.</summary>
    /// <exception cref="InvalidDataException">These are no frames.</exception>
    public void Read(ReadOnlySpan<byte> bytes, ICollection<ContainerLogLine> lines)
    {
        while (bytes.Length > 0)
        {
            if (_left == 0)
            {
                var head = Math.Min(HeaderLength - _headerLength, bytes.Length);
                bytes[..head].CopyTo(_header.AsSpan(_headerLength));
                bytes = bytes[head..];
                _headerLength += head;
                if (_headerLength == HeaderLength) Begin();
                continue;
            }
            var part = bytes[..(int)Math.Min(_left, (uint)bytes.Length)];
            bytes = bytes[part.Length..];
            _left -= (uint)part.Length;
            if (_isTime) part = Time(part, lines);
            Add(part, lines);
        }
    }

    /// <summary>The stream has ended: lines without an end are lines.</summary>
    public void End(ICollection<ContainerLogLine> lines)
    {
        if (_output.HasSome) lines.Add(_output.Take());
        if (_errors.HasSome) lines.Add(_errors.Take());
    }

    private void Begin()
    {
        // 0 is the input, which engines use for output where there was no telling.
        if (_header[0] > 2 || _header[1] != 0 || _header[2] != 0 || _header[3] != 0) throw new InvalidDataException("The engine's log stream is malformed.");
        _left = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(4));
        _line = _header[0] == 2 ? _errors : _output;
        (_headerLength, _timeLength, _isTime) = (0, 0, true);
    }

    /// <returns>What follows the time.</returns>
    private ReadOnlySpan<byte> Time(ReadOnlySpan<byte> part, ICollection<ContainerLogLine> lines)
    {
        var room = Math.Min(part.Length, MaxTime - _timeLength);
        var end = part[..room].IndexOf((byte)' ');
        var taken = end < 0 ? room : end;
        part[..taken].CopyTo(_time.AsSpan(_timeLength));
        _timeLength += taken;
        part = part[taken..];
        if (end < 0 && _timeLength < MaxTime && _left > 0) return part;
        _isTime = false;
        if (end >= 0 && DateTimeOffset.TryParse(Encoding.ASCII.GetString(_time, 0, _timeLength), CultureInfo.InvariantCulture, DateTimeStyles.None, out var at))
        {
            _at = at;
            part = part[1..];
        }
        else
        {
            Add(_time.AsSpan(0, _timeLength), lines);
        }
        return part;
    }

    private void Add(ReadOnlySpan<byte> part, ICollection<ContainerLogLine> lines)
    {
        while (part.IndexOf((byte)'\n') is var end and >= 0)
        {
            _line.Add(part[..end], _at);
            lines.Add(_line.Take());
            part = part[(end + 1)..];
        }
        if (part.Length > 0) _line.Add(part, _at);
    }

    private sealed class Line(bool isError)
    {
        private byte[] _bytes = new byte[256];
        private int _length;
        private bool _isCut;
        private DateTimeOffset _at;

        public bool HasSome { get; private set; }

        public void Add(ReadOnlySpan<byte> part, DateTimeOffset at)
        {
            if (!HasSome) (HasSome, _at) = (true, at);
            var taken = Math.Min(part.Length, MaxLine - _length);
            if (taken < part.Length) _isCut = true;
            if (_length + taken > _bytes.Length) Array.Resize(ref _bytes, Math.Min(MaxLine, Math.Max(_bytes.Length * 2, _length + taken)));
            part[..taken].CopyTo(_bytes.AsSpan(_length));
            _length += taken;
        }

        public ContainerLogLine Take()
        {
            var text = Encoding.UTF8.GetString(_bytes, 0, _length);
            var line = new ContainerLogLine(_at, isError, _isCut ? text + "…" : text.TrimEnd('\r'));
            (_length, _isCut, HasSome) = (0, false, false);
            return line;
        }
    }
}
