# SPDX-License-Identifier: GPL-3.0-or-later
# Runs once inside the new base (chroot): makes of a Debian what Jeedom's installer makes of it.
useradd -m -s /bin/bash jeedom
install -d -o jeedom -g jeedom -m 0700 /home/jeedom/.ssh
install -o jeedom -g jeedom -m 0600 /root/key.pub /home/jeedom/.ssh/authorized_keys
rm /root/key.pub
printf 'jeedom ALL=(ALL) NOPASSWD: ALL\nwww-data ALL=(ALL) NOPASSWD: ALL\n' > /etc/sudoers.d/jeedom
chmod 0440 /etc/sudoers.d/jeedom
printf 'UseDNS no\nMaxStartups 100:30:200\n' > /etc/ssh/sshd_config.d/sandbox.conf
# web and cron share /tmp/jeedom (contract 1.1)
mkdir -p /etc/systemd/system/apache2.service.d
printf '[Service]\nPrivateTmp=no\n' > /etc/systemd/system/apache2.service.d/privatetmp.conf
sed -i 's/AllowOverride None/AllowOverride All/' /etc/apache2/apache2.conf
sed -i 's#ErrorLog .*#ErrorLog /var/www/html/log/http.error#' /etc/apache2/sites-available/000-default.conf
printf 'ServerName localhost\n' > /etc/apache2/conf-available/servername.conf
a2enconf -q servername
a2enmod -q rewrite
rm -rf /var/www/html/*
install -d -o www-data -g www-data /var/www/html/log
# A box without journald's persistent log, without apt's nightly work: nothing runs that the test did not start.
systemctl mask -q apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer logrotate.timer man-db.timer
update-ca-certificates >/dev/null 2>&1
: > /etc/machine-id
: > /etc/resolv.conf
# small boxes: the defaults of MariaDB would reserve more than a test needs
printf '[mysqld]\ninnodb_buffer_pool_size=64M\nskip-name-resolve\n' > /etc/mysql/mariadb.conf.d/99-sandbox.cnf
