import pty, os, sys, time, select, signal
def run(data, presses):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(PORT='18787', FLUX_DATA_DIR=data); os.execvp('npm', ['npm','start'])
    out=b''; t=time.time(); pressed=0
    while True:
        r,_,_=select.select([fd],[],[],0.2)
        if r:
            try: d=os.read(fd,65536)
            except OSError: break
            if not d: break
            out+=d
        if b'Ctrl-C stops' in out and pressed==0: 
            print('ready', round(time.time()-t,1)); os.system("curl -sN http://127.0.0.1:18787/health; echo"); os.write(fd,b'\x03'); pressed=1; tp=time.time()
        if pressed==1 and presses==2 and time.time()-tp>0.8: os.write(fd,b'\x03'); pressed=2
    _,st=os.waitpid(pid,0)
    print(out.decode()[-1800:]); print('exit', os.waitstatus_to_exitcode(st), 'after press', round(time.time()-tp,1))
run(sys.argv[1], int(sys.argv[2]))
